# Alarms on what AWS runs for us. What the platform runs itself is Prometheus' part.

resource "aws_sns_topic" "alarms" {
  name              = "${var.context.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsOfThisAccountPublish"
    actions   = ["sns:Publish"]
    resources = ["arn:${var.context.partition}:sns:${var.context.region}:${var.context.account_id}:${var.context.name}-alarms"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  alb = { LoadBalancer = var.watched.load_balancer }

  # name => what is measured, on what, and when that is wrong; periods of a minute.
  alarms = merge(
    {
      alb_5xx = {
        namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", statistic = "Sum", dimensions = local.alb
        over      = true, threshold = 10, minutes = 5, missing = "notBreaching", what = "The load balancer has no answer of an application"
      }
      alb_latency = {
        namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", statistic = "p95", dimensions = local.alb
        over      = true, threshold = 0.5, minutes = 10, missing = "notBreaching", what = "One answer in twenty takes half a second and more"
      }
    },
    {
      for name, group in var.watched.target_groups : "unhealthy_${name}" => {
        namespace  = "AWS/ApplicationELB", metric = "UnHealthyHostCount", statistic = "Maximum"
        dimensions = { LoadBalancer = var.watched.load_balancer, TargetGroup = group }
        over       = true, threshold = 0, minutes = 5, missing = "notBreaching", what = "A host does not answer for ${name}"
      }
    },
    merge([
      for index, instance in var.watched.databases : {
        "database${index + 1}_cpu" = {
          namespace = "AWS/RDS", metric = "CPUUtilization", statistic = "Average", dimensions = { DBInstanceIdentifier = instance }
          over      = true, threshold = 80, minutes = 15, missing = "breaching", what = "${instance} computes"
        }
        "database${index + 1}_storage" = {
          namespace = "AWS/RDS", metric = "FreeStorageSpace", statistic = "Minimum", dimensions = { DBInstanceIdentifier = instance }
          over      = false, threshold = 2147483648, minutes = 15, missing = "breaching", what = "${instance} has 2 GiB left"
        }
      }
    ]...),
    {
      for index, instance in slice(var.watched.databases, 1, length(var.watched.databases)) : "replica${index + 1}_lag" => {
        namespace = "AWS/RDS", metric = "ReplicaLag", statistic = "Maximum", dimensions = { DBInstanceIdentifier = instance }
        over      = true, threshold = 300, minutes = 5, missing = "breaching", what = "${instance} is five minutes behind: more than may be lost"
      }
    },
    merge([
      for index, cluster in var.watched.caches : {
        "cache${index + 1}_memory" = {
          namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", statistic = "Maximum", dimensions = { CacheClusterId = cluster }
          over      = true, threshold = 90, minutes = 10, missing = "breaching", what = "${cluster} is nearly full"
        }
      }
    ]...),
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.context.name}-${each.key}"
  alarm_description   = each.value.what
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  dimensions          = each.value.dimensions
  comparison_operator = each.value.over ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
