"""What a listing of notebooks shows: its pages, whether its rows belong, and whether it proves who is gone."""
