output "endpoints" {
  description = "Where to write, and where to read, as inventories want them."
  value = {
    cache = {
      kind = "redis"
      host = aws_elasticache_replication_group.this.primary_endpoint_address
      port = 6379
      arn  = aws_elasticache_replication_group.this.arn
      id   = var.context.name
    }
    cache_read = {
      kind = "redis"
      host = aws_elasticache_replication_group.this.reader_endpoint_address
      port = 6379
      arn  = aws_elasticache_replication_group.this.arn
      id   = var.context.name
    }
  }
}

output "user" {
  description = "The user of applications."
  value       = aws_elasticache_user.app.user_name
}

output "clusters" {
  description = "Names of the nodes, as CloudWatch has them."
  value       = [for index in range(var.nodes) : format("%s-%03d", var.context.name, index + 1)]
}
