# Redis: a primary and replicas, TLS, and one user. How the user signs in at first is IAM, so that no password is in
# the state; where clients want one, the rotation of secrets sets it, and Terraform leaves it alone.

resource "aws_elasticache_subnet_group" "this" {
  name       = var.context.name
  subnet_ids = values(var.subnet_ids)
}

resource "aws_elasticache_parameter_group" "this" {
  name   = "${var.context.name}-redis7"
  family = "redis7"

  parameter {
    name  = "maxmemory-policy"
    value = var.eviction
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A group must have a user `default`. Without this one it would be let in without a password.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.context.name}-default"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "app" {
  user_id       = "${var.context.name}-app"
  user_name     = "${var.context.name}-app" # IAM wants both to be the same
  engine        = "redis"
  access_string = "on ~* &* +@all -@admin -@dangerous +info"

  authentication_mode {
    type = "iam"
  }

  lifecycle {
    ignore_changes = [authentication_mode, passwords]
  }
}

resource "aws_elasticache_user_group" "this" {
  engine        = "redis"
  user_group_id = var.context.name
  user_ids      = [aws_elasticache_user.default.user_id, aws_elasticache_user.app.user_id]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:log_days says how long; an environment for tests keeps less than a year
  for_each = toset(["slow-log", "engine-log"])

  name              = "/aws/elasticache/${var.context.name}/${each.value}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV2_AWS_50:From two nodes on there is failover; a test sees to it in prod
  #checkov:skip=CKV_AWS_31:Users by role take the place of the single token, which would be in the state
  replication_group_id = var.context.name
  description          = "Cache and messages of ${var.context.name}"
  engine               = "redis"
  engine_version       = var.engine_version
  node_type            = var.node_type
  num_cache_clusters   = var.nodes
  parameter_group_name = aws_elasticache_parameter_group.this.name
  port                 = 6379

  automatic_failover_enabled = var.nodes > 1
  multi_az_enabled           = var.nodes > 1
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  snapshot_retention_limit   = var.backup_days
  snapshot_window            = "01:00-02:00"
  maintenance_window         = "sun:04:30-sun:05:30"
  final_snapshot_identifier  = var.protected ? "${var.context.name}-final" : null
  auto_minor_version_upgrade = true
  apply_immediately          = false

  dynamic "log_delivery_configuration" {
    for_each = aws_cloudwatch_log_group.this

    content {
      log_type         = log_delivery_configuration.key
      destination      = log_delivery_configuration.value.name
      destination_type = "cloudwatch-logs"
      log_format       = "json"
    }
  }
}
