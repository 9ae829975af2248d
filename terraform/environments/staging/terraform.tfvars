# As prod, where that is what is tested: failover, replicas of the cache, names. Smaller, and it can be destroyed.
platform    = "chat"
environment = "staging"
region      = "eu-central-1"
protected   = false

detailed_monitoring = false
transfer_bucket     = "chat-staging-transfer" # the inventory says the same

network = { nat = "single" }

hosts = {
  mon1 = { role = "monitoring", instance_type = "t3.medium", disk_gb = 30 }
}

groups = {
  app = { role = "app", instance_type = "t3.small", disk_gb = 30, min = 2, desired = 2, max = 4 }
}

edge = {
  zone        = "staging.example.com"
  create_zone = true
  domain      = "chat.staging.example.com"
  # The paths of apps/chat: sockets stick to a host, as a socket.io client may begin with several requests.
  routes = [
    { name = "ws", port = 5001, paths = ["/ws/*", "/socket.io/*"], sticky = true },
    { name = "api", port = 5000, paths = ["/api/*"] },
    { name = "web", port = 3000, health_path = "/" },
  ]
}

static   = { domain = "static.staging.example.com" }
registry = { repositories = ["chat-backend", "chat-web"], keep = 20 }
database = { instance_class = "db.t3.medium", multi_az = true, backup_days = 7, replicas = 0 }
cache    = { node_type = "cache.t3.micro", nodes = 2, backup_days = 1 }
backup   = { keep_days = 14 }
logs     = { days = 30, flows = "REJECT" }

secrets = {
  entries = {
    chat_database = "Password of the chat's database user"
    chat_redis    = "Password of the chat's cache user"
    chat_session  = "Key that signs the chat's sessions"
    chat_verify   = "Password of the chat's user verify"
  }
}
