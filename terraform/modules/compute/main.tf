# Hosts: named ones, of which each is one instance for good, and groups, whose members come and go.

locals {
  user_data = var.ami.agent ? templatefile("${path.module}/agent.yaml.tftpl", { region = var.context.region }) : null
  zones     = keys(var.subnet_ids)
  # A host stays in its zone when others come and go: its number in its name decides, not its place in the map.
  host_zone = {
    for name, host in var.hosts : name => local.zones[(try(tonumber(regex("[0-9]+$", name)), 1) + length(local.zones) - 1) % length(local.zones)]
  }
  attached = merge([
    for name, host in var.hosts : {
      for target in keys(var.target_group_arns) : "${name}/${target}" => { host = name, target = target }
    } if host.role == "app"
  ]...)
}

data "aws_ami" "this" {
  most_recent = true
  owners      = [var.ami.owner]

  filter {
    name   = "name"
    values = [var.ami.name]
  }
}

resource "aws_instance" "host" {
  for_each = var.hosts

  ami                     = data.aws_ami.this.id
  instance_type           = each.value.instance_type
  subnet_id               = var.subnet_ids[local.host_zone[each.key]]
  vpc_security_group_ids  = [var.security_group_ids[each.value.role]]
  iam_instance_profile    = var.instance_profile
  disable_api_termination = var.protected
  monitoring              = var.detailed_monitoring
  ebs_optimized           = true
  user_data               = local.user_data

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    kms_key_id  = var.kms_key_arn
    volume_type = "gp3"
    volume_size = each.value.disk_gb
    tags        = { Name = "${var.context.name}-${each.key}" }
  }

  tags = {
    Name   = "${var.context.name}-${each.key}"
    Host   = each.key
    Role   = each.value.role
    Backup = "true"
  }

  lifecycle {
    # A newer image is no reason to replace a host with its data: upgrades of packages are Ansible's part. A host is
    # renewed by name: playbooks/infrastructure.yml -e renew=ADDRESS.
    ignore_changes = [ami, user_data]
  }
}

resource "aws_lb_target_group_attachment" "host" {
  for_each = local.attached

  target_group_arn = var.target_group_arns[each.value.target]
  target_id        = aws_instance.host[each.value.host].id
}
