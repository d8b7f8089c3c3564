"""The Webinos Payment API: a page finds a payment service and pays; the customer answers
challenges; the merchant checks the proof behind the page's back."""
