"""Rules about listings: paging, whether rows belong to the request, and which notebooks a listing proves gone."""
