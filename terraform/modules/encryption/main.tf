# The environment's own key. With one key an environment, what may read it is one policy, and closing it closes all.

locals {
  root = "arn:${var.context.partition}:iam::${var.context.account_id}:root"
  # Services that encrypt on their own behalf, not on that of the caller; each only for resources of this account.
  services = [
    "logs.${var.context.region}.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "cloudwatch.amazonaws.com",
    "events.amazonaws.com",
    "sns.amazonaws.com",
    "delivery.logs.amazonaws.com",
    "cloudfront.amazonaws.com",
  ]
  scaling = "arn:${var.context.partition}:iam::${var.context.account_id}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
}

data "aws_iam_policy_document" "key" {
  #checkov:skip=CKV_AWS_109:In a key policy "*" is the key itself, and the account must be able to manage it
  #checkov:skip=CKV_AWS_111:In a key policy "*" is the key itself
  #checkov:skip=CKV_AWS_356:In a key policy "*" is the key itself
  statement {
    sid       = "KeyIsTheAccounts"
    actions   = ["kms:*"]
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = [local.root]
    }
  }

  statement {
    sid       = "KeyForServices"
    actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = local.services
    }

    # Log groups say who they are in the context, the others in the request.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:SourceAccount"
      values   = [var.context.account_id]
    }
  }

  dynamic "statement" {
    for_each = var.autoscaling ? ["disks"] : []

    content {
      sid       = "KeyForDisksOfGroups"
      actions   = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = [local.scaling]
      }
    }
  }

  dynamic "statement" {
    for_each = var.autoscaling ? ["disks"] : []

    content {
      sid       = "KeyGrantsForDisksOfGroups"
      actions   = ["kms:CreateGrant"]
      resources = ["*"]

      principals {
        type        = "AWS"
        identifiers = [local.scaling]
      }

      condition {
        test     = "Bool"
        variable = "kms:GrantIsForAWSResource"
        values   = ["true"]
      }
    }
  }
}

resource "aws_kms_key" "this" {
  description             = "Everything of ${var.context.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_days
  policy                  = data.aws_iam_policy_document.key.json

  tags = { Name = var.context.name }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.context.name}"
  target_key_id = aws_kms_key.this.key_id
}
