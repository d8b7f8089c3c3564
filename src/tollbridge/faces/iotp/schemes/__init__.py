"""Payment schemes behind the Payment API: cards through any bridge of this house, and purses."""
