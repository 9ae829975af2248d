platform    = "chat"
environment = "prod"
protected   = false
token       = "c4n4ry-in-clear"
