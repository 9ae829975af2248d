mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context            = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  kubernetes_version = "1.33"
  nodes              = { instance_type = "t3.medium", disk_gb = 40, min = 2, desired = 2, max = 4 }
  security_group_id  = "sg-0a"
  admin_role_arn     = "arn:aws:iam::123456789012:role/chat-dev-admin"
  log_days           = 30
  subnet_ids         = { eu-central-1a = "subnet-0a", eu-central-1b = "subnet-0b" }
  kms_key_arn        = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
}

run "closed_and_encrypted" {
  command = plan

  # The launch template takes the group that the cluster makes.
  override_resource {
    target          = aws_eks_cluster.this
    override_during = plan
    values          = { arn = "arn:aws:eks:eu-central-1:123456789012:cluster/chat-dev" }
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API answers inside the VPC only."
  }

  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"])
    error_message = "Secrets are encrypted with the key."
  }

  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5
    error_message = "Every log is on."
  }

  assert {
    condition     = aws_eks_node_group.this.scaling_config[0].min_size == 2 && aws_launch_template.node.metadata_options[0].http_tokens == "required"
    error_message = "A group of two, with metadata by version 2 only."
  }
}
