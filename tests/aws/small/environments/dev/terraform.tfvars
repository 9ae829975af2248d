platform    = "chat"
environment = "dev"
protected   = false
token       = "c4n4ry-in-clear"
