"""What the simulated cloud holds: notebooks, their lives, and the listings made of them."""
