mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context      = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  vpc_id       = "vpc-0a"
  flow_traffic = "ALL"
  alarm_emails = ["ops@example.com"]
  log_days     = 365
  protected    = true
  watched = {
    load_balancer = "app/chat-dev/0123456789abcdef"
    target_groups = { web = "targetgroup/chat-dev-web/0123456789abcdef" }
    databases     = ["chat-dev", "chat-dev-replica1"]
    caches        = ["chat-dev-001"]
  }
  kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "trail" {
  command = plan

  assert {
    condition     = aws_cloudtrail.this.enable_log_file_validation && aws_cloudtrail.this.is_multi_region_trail && aws_cloudtrail.this.kms_key_id != null
    error_message = "All regions, signed, encrypted."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 365
    error_message = "Flows as asked for, kept as long."
  }
}

run "alarms" {
  command = plan

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "alb_5xx", "alb_latency", "unhealthy_web", "database1_cpu", "database1_storage", "database2_cpu", "database2_storage", "replica1_lag", "cache1_memory",
    ])
    error_message = "An alarm on each thing that is watched."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["alb_latency"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.this["alb_5xx"].statistic == "Sum"
    error_message = "Percentiles go by another name."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database1_storage"].comparison_operator == "LessThanThreshold"
    error_message = "Too little space, not too much."
  }

  assert {
    condition     = toset(keys(aws_sns_topic_subscription.email)) == toset(["ops@example.com"])
    error_message = "Somebody is told."
  }
}
