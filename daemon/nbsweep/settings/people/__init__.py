"""How owners and operators are told: `grace`, `marks`, `exemptions`, `owners`, `channels`, `notify` and `messages`."""
