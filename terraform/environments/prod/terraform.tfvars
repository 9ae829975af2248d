# For users: no single zone, host or mistake takes it down. tests/aws/test_aws_strict.py compares it with dev.
platform    = "chat"
environment = "prod"
region      = "eu-central-1"
protected   = true

detailed_monitoring = true
transfer_bucket     = "chat-prod-transfer" # the inventory says the same

network = { nat = "per_zone" }

# No burstable sizes: they slow down when it matters.
hosts = {
  mon1 = { role = "monitoring", instance_type = "m5.large", disk_gb = 60 }
}

groups = {
  app = { role = "app", instance_type = "m5.large", disk_gb = 40, min = 2, desired = 2, max = 10 }
}

edge = {
  zone        = "example.com"
  create_zone = true
  domain      = "chat.example.com"
  # The paths of apps/chat: sockets stick to a host, as a socket.io client may begin with several requests.
  routes = [
    { name = "ws", port = 5001, paths = ["/ws/*", "/socket.io/*"], sticky = true },
    { name = "api", port = 5000, paths = ["/api/*"] },
    { name = "web", port = 3000, health_path = "/" },
  ]
}

static   = { domain = "static.example.com", price_class = "PriceClass_All" }
registry = { repositories = ["chat-backend", "chat-web"], keep = 50 }
database = { instance_class = "db.t3.medium", storage_gb = 50, max_storage_gb = 500, multi_az = true, backup_days = 7, replicas = 1 }
cache    = { node_type = "cache.t3.micro", nodes = 2, backup_days = 7 }
backup   = { keep_days = 35 }
logs     = { days = 365, flows = "ALL" }

secrets = {
  entries = {
    chat_database = "Password of the chat's database user"
    chat_redis    = "Password of the chat's cache user"
    chat_session  = "Key that signs the chat's sessions"
    chat_verify   = "Password of the chat's user verify"
  }
}
