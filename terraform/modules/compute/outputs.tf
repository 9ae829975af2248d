output "hosts" {
  description = "name => role, instance_id, private_ip, availability_zone; members of groups are called GROUP-XXXXXXXX."
  value = merge(local.members, {
    for name, host in aws_instance.host : name => {
      role              = var.hosts[name].role
      instance_id       = host.id
      private_ip        = host.private_ip
      availability_zone = host.availability_zone
    }
  })
}

output "group_names" {
  description = "Names of auto-scaling groups."
  value       = { for name, group in aws_autoscaling_group.group : name => group.name }
}
