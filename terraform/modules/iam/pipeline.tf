# The pipeline signs in with the token that GitHub gives a job: there are no long-lived keys.

locals {
  pipeline = var.pipeline == null ? {} : { pipeline = var.pipeline }
  issuer   = "token.actions.githubusercontent.com"
  provider = "arn:${local.account}:oidc-provider/${local.issuer}"
}

# An account has one provider for GitHub, whatever environments share the account.
resource "aws_iam_openid_connect_provider" "github" {
  for_each = { for name, pipeline in local.pipeline : name => pipeline if pipeline.create_provider }

  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "pipeline_trust" {
  #checkov:skip=CKV_AWS_358:One repository and one of its environments; the check does not read each.value
  for_each = local.pipeline

  statement {
    sid     = "JobsOfTheRepository"
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [local.provider]
    }

    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }

    # An environment of GitHub, whose own rules say which branches and whose approval it takes.
    condition {
      test     = "StringEquals"
      variable = "${local.issuer}:sub"
      values   = ["repo:${each.value.repository}:environment:${var.context.environment}"]
    }
  }
}

data "aws_iam_policy_document" "pipeline" {
  for_each = local.pipeline

  statement {
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:DescribeImageScanFindings",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
    resources = [local.images]
  }

  statement {
    sid       = "FindHosts"
    actions   = ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation"]
    resources = ["*"]
  }

  statement {
    sid       = "SessionsOnOwnHosts"
    actions   = ["ssm:StartSession"]
    resources = ["arn:${var.context.partition}:ec2:${local.here}:instance/*"]

    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/Platform"
      values   = [var.context.name]
    }
  }

  statement {
    sid       = "EndOwnSessions"
    actions   = ["ssm:ResumeSession", "ssm:TerminateSession"]
    resources = ["arn:${var.context.partition}:ssm:${local.here}:session/$${aws:userid}-*"]
  }

  statement {
    sid       = "HandOverFiles"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
    resources = ["arn:${var.context.partition}:s3:::${var.transfer_bucket}/*"]
  }

  statement {
    sid       = "FindTransferBucket"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = ["arn:${var.context.partition}:s3:::${var.transfer_bucket}"]
  }

  statement {
    sid       = "EncryptFiles"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.key_alias]
    }
  }

  statement {
    sid       = "ReadState"
    actions   = ["s3:GetObject"]
    resources = ["arn:${var.context.partition}:s3:::${each.value.state_bucket}/${var.context.environment}/*"]
  }

  statement {
    sid       = "DecryptState"
    actions   = ["kms:Decrypt"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = ["alias/${each.value.state_bucket}"]
    }
  }
}

resource "aws_iam_role" "pipeline" {
  for_each = local.pipeline

  name                 = "${var.context.name}-pipeline"
  assume_role_policy   = data.aws_iam_policy_document.pipeline_trust[each.key].json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "pipeline" {
  for_each = local.pipeline

  name   = "pipeline"
  role   = aws_iam_role.pipeline[each.key].id
  policy = data.aws_iam_policy_document.pipeline[each.key].json
}
