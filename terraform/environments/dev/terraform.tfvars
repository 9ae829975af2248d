# For developers: small, one zone's loss is a loss, and it can be destroyed.
platform    = "chat"
environment = "dev"
region      = "eu-central-1"
protected   = false

detailed_monitoring = false
transfer_bucket     = "chat-dev-transfer" # the inventory says the same

network = { nat = "single" }

hosts = {
  mon1 = { role = "monitoring", instance_type = "t3.small", disk_gb = 20 }
}

groups = {
  app = { role = "app", instance_type = "t3.micro", disk_gb = 20, min = 2, desired = 2, max = 3 }
}

edge = {
  zone        = "dev.example.com"
  create_zone = true
  domain      = "chat.dev.example.com"
  firewall    = false # what it would block shows itself in staging
  # The paths of apps/chat: sockets stick to a host, as a socket.io client may begin with several requests.
  routes = [
    { name = "ws", port = 5001, paths = ["/ws/*", "/socket.io/*"], sticky = true },
    { name = "api", port = 5000, paths = ["/api/*"] },
    { name = "web", port = 3000, health_path = "/" },
  ]
}

registry = { repositories = ["chat-backend", "chat-web"], keep = 10 }
database = { instance_class = "db.t3.micro", multi_az = false, backup_days = 1, replicas = 0 }
cache    = { node_type = "cache.t3.micro", nodes = 1, backup_days = 0 }
backup   = { keep_days = 7 }
logs     = { days = 7, flows = "REJECT" }

secrets = {
  entries = {
    chat_database = "Password of the chat's database user"
    chat_redis    = "Password of the chat's cache user"
    chat_session  = "Key that signs the chat's sessions"
    chat_verify   = "Password of the chat's user verify"
  }
}
