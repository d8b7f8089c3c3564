"""The bridge to Worldpay Online Payments."""
