# Who may do what: hosts, the pipeline, administrators. Where a statement names all resources, its reason stands in
# terraform/wildcards.yml; a test compares.

locals {
  account = "${var.context.partition}:iam::${var.context.account_id}"
  here    = "${var.context.region}:${var.context.account_id}"
  secrets = "arn:${var.context.partition}:secretsmanager:${local.here}:secret:${var.context.name}/*"
  images  = "arn:${var.context.partition}:ecr:${local.here}:repository/${var.context.name}/*"
  keys    = "arn:${var.context.partition}:kms:${local.here}:key/*"
}

# ---- hosts

data "aws_iam_policy_document" "node_trust" {
  statement {
    sid     = "HostsMayAct"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "node" {
  statement {
    sid       = "RegistryLogin"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "PullImages"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [local.images]
  }

  statement {
    sid       = "ReadOwnSecrets"
    actions   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    resources = [local.secrets]
  }

  statement {
    sid       = "DecryptWithOwnKey"
    actions   = ["kms:Decrypt"]
    resources = [local.keys]

    condition {
      test     = "ForAnyValue:StringEquals"
      variable = "kms:ResourceAliases"
      values   = [var.key_alias]
    }
  }

  statement {
    sid       = "WriteOwnLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:${var.context.partition}:logs:${local.here}:log-group:/${var.context.name}/*"]
  }

  statement {
    sid       = "PutMetrics"
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.context.name]
    }
  }

  statement {
    sid     = "ConnectToCache"
    actions = ["elasticache:Connect"]
    resources = [
      "arn:${var.context.partition}:elasticache:${local.here}:replicationgroup:${var.context.name}",
      "arn:${var.context.partition}:elasticache:${local.here}:user:${var.context.name}-app",
    ]
  }
}

resource "aws_iam_role" "node" {
  name               = "${var.context.name}-node"
  assume_role_policy = data.aws_iam_policy_document.node_trust.json
}

resource "aws_iam_role_policy" "node" {
  name   = "node"
  role   = aws_iam_role.node.id
  policy = data.aws_iam_policy_document.node.json
}

# Ansible reaches hosts through Systems Manager: no port for SSH is open.
resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.node.name
  policy_arn = "arn:${var.context.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "node" {
  name = "${var.context.name}-node"
  role = aws_iam_role.node.name
}

# ---- administrators

data "aws_iam_policy_document" "admin_trust" {
  statement {
    sid     = "PeopleWithMfa"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = length(var.admin_principals) > 0 ? var.admin_principals : ["arn:${local.account}:root"]
    }

    condition {
      test     = "Bool"
      variable = "aws:MultiFactorAuthPresent"
      values   = ["true"]
    }

    condition {
      test     = "NumericLessThan"
      variable = "aws:MultiFactorAuthAge"
      values   = ["3600"]
    }
  }
}

resource "aws_iam_role" "admin" {
  name                 = "${var.context.name}-admin"
  assume_role_policy   = data.aws_iam_policy_document.admin_trust.json
  max_session_duration = 3600
}

resource "aws_iam_role_policy_attachment" "admin" {
  #checkov:skip=CKV_AWS_274:The administrators' role, with MFA no older than an hour, and in CloudTrail
  role       = aws_iam_role.admin.name
  policy_arn = "arn:${var.context.partition}:iam::aws:policy/AdministratorAccess"
}
