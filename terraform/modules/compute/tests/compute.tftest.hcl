mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  hosts = {
    app1 = { role = "app", instance_type = "t3.micro", disk_gb = 20 }
    app2 = { role = "app", instance_type = "t3.micro", disk_gb = 20 }
    mon1 = { role = "monitoring", instance_type = "t3.small", disk_gb = 30 }
  }
  groups = {
    app = { role = "app", instance_type = "t3.micro", disk_gb = 20, min = 2, desired = 2, max = 4 }
  }
  ami                 = { owner = "136693071363", name = "debian-13-amd64-*" }
  subnet_ids          = { eu-central-1a = "subnet-0a", eu-central-1b = "subnet-0b" }
  private_cidr        = { eu-central-1a = "10.0.16.0/20", eu-central-1b = "10.0.32.0/20" }
  security_group_ids  = { app = "sg-0a", data = "sg-0d", monitoring = "sg-0e" }
  target_group_arns   = { web = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef" }
  instance_profile    = "chat-dev-node"
  kms_key_arn         = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
  protected           = false
  detailed_monitoring = true
  tags                = { Platform = "chat-dev" }
}

run "hosts" {
  command = plan

  assert {
    condition     = alltrue([for host in aws_instance.host : host.metadata_options[0].http_tokens == "required" && host.root_block_device[0].encrypted])
    error_message = "Metadata by version 2 only, and encrypted disks."
  }

  assert {
    condition     = alltrue([for template in aws_launch_template.group : template.metadata_options[0].http_tokens == "required" && template.block_device_mappings[0].ebs[0].encrypted == "true"])
    error_message = "Groups' members as well."
  }

  assert {
    condition     = aws_instance.host["app1"].subnet_id == "subnet-0a" && aws_instance.host["app2"].subnet_id == "subnet-0b" && aws_instance.host["mon1"].subnet_id == "subnet-0a"
    error_message = "The number in a host's name decides on its zone."
  }

  assert {
    condition     = toset(keys(aws_lb_target_group_attachment.host)) == toset(["app1/web", "app2/web"])
    error_message = "The load balancer asks the hosts of applications, and no other."
  }

  assert {
    condition     = aws_instance.host["mon1"].tags["Role"] == "monitoring" && aws_instance.host["mon1"].tags["Host"] == "mon1"
    error_message = "Inventories find hosts by their tags."
  }

  assert {
    condition     = length(setunion(aws_autoscaling_group.group["app"].vpc_zone_identifier, [])) == 2 && aws_autoscaling_group.group["app"].min_size == 2
    error_message = "The group of two spreads over both zones."
  }
}

run "the_agent_comes_with_the_first_boot" {
  command = plan

  assert {
    condition     = strcontains(aws_instance.host["mon1"].user_data, "amazon-ssm-eu-central-1/latest") && startswith(base64decode(aws_launch_template.group["app"].user_data), "#cloud-config")
    error_message = "Without the agent nobody reaches a host."
  }
}

run "an_image_that_has_the_agent" {
  command = plan

  variables {
    ami = { owner = "self", name = "ours-*", agent = false }
  }

  assert {
    condition     = local.user_data == null && aws_launch_template.group["app"].user_data == null
    error_message = "Nothing is fetched where nothing is missing."
  }
}

run "another_host_moves_none" {
  command = plan

  variables {
    hosts = {
      aaa3 = { role = "data", instance_type = "t3.micro", disk_gb = 20 }
      app2 = { role = "app", instance_type = "t3.micro", disk_gb = 20 }
    }
  }

  assert {
    condition     = aws_instance.host["app2"].subnet_id == "subnet-0b"
    error_message = "app2 stays in its zone, whoever comes before it."
  }
}

run "protected" {
  command = plan

  variables {
    protected = true
  }

  assert {
    condition     = alltrue([for host in aws_instance.host : host.disable_api_termination])
    error_message = "No host can be terminated by mistake."
  }
}

# Applied, by the mock: members are looked for once the group is there.
run "members_get_the_zone_of_their_subnet" {
  command = apply

  variables {
    hosts = {}
  }

  override_resource {
    target = aws_launch_template.group
    values = { id = "lt-0123456789abcdef0" }
  }

  override_data {
    target = data.aws_instances.group
    values = {
      ids         = ["i-0123456789abcdef0", "i-0fedcba9876543210"]
      private_ips = ["10.0.17.4", "10.0.47.255"]
    }
  }

  assert {
    condition = local.members == {
      "app-01234567" = { role = "app", instance_id = "i-0123456789abcdef0", private_ip = "10.0.17.4", availability_zone = "eu-central-1a" }
      "app-0fedcba9" = { role = "app", instance_id = "i-0fedcba9876543210", private_ip = "10.0.47.255", availability_zone = "eu-central-1b" }
    }
    error_message = "The subnet that holds the address says the zone."
  }
}

run "an_unknown_role" {
  command = plan

  variables {
    hosts = { web1 = { role = "web", instance_type = "t3.micro", disk_gb = 20 } }
  }

  expect_failures = [var.hosts]
}

run "sizes_that_contradict_each_other" {
  command = plan

  variables {
    groups = { app = { role = "app", instance_type = "t3.micro", disk_gb = 20, min = 3, desired = 2, max = 4 } }
  }

  expect_failures = [var.groups]
}
