# Who did what in the account (CloudTrail), what flowed in the network (flow logs), and where both are kept.

locals {
  log_bucket   = "${var.context.name}-logs-${var.context.account_id}"
  trail_bucket = "${var.context.name}-trail-${var.context.account_id}"
  trail_arn    = "arn:${var.context.partition}:cloudtrail:${var.context.region}:${var.context.account_id}:trail/${var.context.name}"
}

# Load balancers and S3 itself log into buckets only that are encrypted with S3's own keys.
module "logs" {
  source = "../bucket"

  name             = local.log_bucket
  partition        = var.context.partition
  kms_key_arn      = null
  force_destroy    = !var.protected
  expire_days      = var.log_days
  policy_documents = [data.aws_iam_policy_document.logs.json]
}

data "aws_iam_policy_document" "logs" {
  statement {
    sid       = "LoadBalancersWrite"
    actions   = ["s3:PutObject"]
    resources = ["arn:${var.context.partition}:s3:::${local.log_bucket}/alb/AWSLogs/${var.context.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com"]
    }
  }

  # Each bucket's log has a folder, and S3 may write into those alone.
  dynamic "statement" {
    for_each = [local.trail_bucket, "${var.context.name}-static-${var.context.account_id}"]

    content {
      sid       = "BucketWrites${statement.key + 1}"
      actions   = ["s3:PutObject"]
      resources = ["arn:${var.context.partition}:s3:::${local.log_bucket}/s3/${statement.value}/*"]

      principals {
        type        = "Service"
        identifiers = ["logging.s3.amazonaws.com"]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [var.context.account_id]
      }
    }
  }
}

module "trail" {
  source = "../bucket"

  name             = local.trail_bucket
  partition        = var.context.partition
  kms_key_arn      = var.kms_key_arn
  force_destroy    = !var.protected
  expire_days      = max(var.log_days, 365)
  log_bucket       = { name = module.logs.name }
  policy_documents = [data.aws_iam_policy_document.trail.json]
}

data "aws_iam_policy_document" "trail" {
  statement {
    sid       = "TrailLooks"
    actions   = ["s3:GetBucketAcl"]
    resources = ["arn:${var.context.partition}:s3:::${local.trail_bucket}"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }

  statement {
    sid       = "TrailWrites"
    actions   = ["s3:PutObject"]
    resources = ["arn:${var.context.partition}:s3:::${local.trail_bucket}/AWSLogs/${var.context.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [local.trail_arn]
    }
  }
}

resource "aws_cloudtrail" "this" {
  #checkov:skip=CKV_AWS_252:Each file of the trail would be a message: alarms tell, the trail keeps
  #checkov:skip=CKV2_AWS_10:Kept in S3 for at least a year; CloudWatch would hold a second copy of each event
  name                          = var.context.name
  s3_bucket_name                = module.trail.name
  kms_key_id                    = var.kms_key_arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
}

resource "aws_cloudwatch_log_group" "flow" {
  #checkov:skip=CKV_AWS_338:log_days says how long; an environment for tests keeps less than a year
  name              = "/${var.context.name}/flow"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

data "aws_iam_policy_document" "flow_trust" {
  statement {
    sid     = "FlowLogsMayAct"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }
}

data "aws_iam_policy_document" "flow" {
  statement {
    sid       = "WriteFlows"
    actions   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    resources = ["arn:${var.context.partition}:logs:${var.context.region}:${var.context.account_id}:log-group:/${var.context.name}/flow:*"]
  }
}

resource "aws_iam_role" "flow" {
  name               = "${var.context.name}-flow"
  assume_role_policy = data.aws_iam_policy_document.flow_trust.json
}

resource "aws_iam_role_policy" "flow" {
  name   = "flow"
  role   = aws_iam_role.flow.id
  policy = data.aws_iam_policy_document.flow.json
}

resource "aws_flow_log" "this" {
  vpc_id               = var.vpc_id
  traffic_type         = var.flow_traffic
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow.arn
  iam_role_arn         = aws_iam_role.flow.arn
}
