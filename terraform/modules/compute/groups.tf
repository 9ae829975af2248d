# Auto-scaling groups. Members carry the tags of a named host, but for the name, which AWS gives.

resource "aws_launch_template" "group" {
  for_each = var.groups

  name                   = "${var.context.name}-${each.key}"
  image_id               = data.aws_ami.this.id
  instance_type          = each.value.instance_type
  update_default_version = true
  ebs_optimized          = true
  user_data              = local.user_data == null ? null : base64encode(local.user_data)
  vpc_security_group_ids = [var.security_group_ids[each.value.role]]

  iam_instance_profile {
    name = var.instance_profile
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = var.detailed_monitoring
  }

  block_device_mappings {
    device_name = var.ami.root_device

    ebs {
      encrypted             = true
      kms_key_id            = var.kms_key_arn
      volume_type           = "gp3"
      volume_size           = each.value.disk_gb
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      # Default tags do not reach what a group starts.
      tags = merge(var.tags, { Name = "${var.context.name}-${each.key}", Role = each.value.role, Group = each.key })
    }
  }

  tags = { Name = "${var.context.name}-${each.key}" }
}

resource "aws_autoscaling_group" "group" {
  for_each = var.groups

  name                      = "${var.context.name}-${each.key}"
  min_size                  = each.value.min
  max_size                  = each.value.max
  desired_capacity          = each.value.desired
  vpc_zone_identifier       = values(var.subnet_ids)
  target_group_arns         = each.value.role == "app" ? values(var.target_group_arns) : []
  health_check_type         = "EC2"
  health_check_grace_period = 300
  # Where it scales in, the oldest image goes first: the fleet comes to one version by itself.
  termination_policies = ["OldestLaunchTemplate", "Default"]

  launch_template {
    id      = aws_launch_template.group[each.key].id
    version = aws_launch_template.group[each.key].latest_version
  }

  dynamic "tag" {
    for_each = merge(var.tags, { Name = "${var.context.name}-${each.key}" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  lifecycle {
    # The policy below decides from then on.
    ignore_changes = [desired_capacity]
  }
}

resource "aws_autoscaling_policy" "cpu" {
  for_each = var.groups

  name                   = "cpu"
  autoscaling_group_name = aws_autoscaling_group.group[each.key].name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    target_value = each.value.cpu_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Who is in a group is known once it runs: members are found by their tags at each plan.
data "aws_instances" "group" {
  for_each = var.groups

  instance_state_names = ["running"]

  filter {
    name   = "tag:aws:autoscaling:groupName"
    values = [aws_autoscaling_group.group[each.key].name]
  }

  # The name is known before the group is there; members are not.
  depends_on = [aws_autoscaling_group.group]
}

locals {
  # The API gives identifiers and addresses in the same order, and no zone: the subnet that holds the address has it.
  members = merge([
    for group, found in data.aws_instances.group : {
      for index, id in found.ids : "${group}-${substr(id, 2, 8)}" => {
        role        = var.groups[group].role
        instance_id = id
        private_ip  = found.private_ips[index]
        availability_zone = one([
          for zone, cidr in var.private_cidr : zone
          if cidrhost("${found.private_ips[index]}/${split("/", cidr)[1]}", 0) == cidrhost(cidr, 0)
        ])
      }
    }
  ]...)
}
