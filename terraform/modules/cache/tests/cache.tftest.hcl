mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context           = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  nodes             = 2
  backup_days       = 1
  security_group_id = "sg-0c"
  log_days          = 7
  protected         = false
  subnet_ids        = { eu-central-1a = "subnet-0a", eu-central-1b = "subnet-0b" }
  kms_key_arn       = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "encrypted_with_users" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.node_type == "cache.t3.micro" && aws_elasticache_replication_group.this.engine_version == "7.1"
    error_message = "Redis 7 on cache.t3.micro where nobody says otherwise."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled == "true"
    error_message = "Encrypted on the way and at rest."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.auth_token == null && startswith(aws_elasticache_user.default.access_string, "off ")
    error_message = "No token in the state, and nobody comes in without a name."
  }

  assert {
    condition     = length(aws_elasticache_user.app.passwords == null ? [] : aws_elasticache_user.app.passwords) == 0
    error_message = "No password in the state."
  }
}

run "two_nodes_fail_over" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "A replica in another zone takes over by itself."
  }
}

run "one_node_cannot" {
  command = plan

  variables {
    nodes = 1
  }

  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "AWS refuses failover with nobody to fail over to."
  }
}

run "an_old_redis_is_refused" {
  command = plan

  variables {
    engine_version = "6.2"
  }

  expect_failures = [var.engine_version]
}
