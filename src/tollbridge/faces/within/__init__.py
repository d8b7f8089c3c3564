"""The Worldpay Within face: things that find each other, agree a price, pay and are supplied."""
