output "zone_id" {
  description = "The zone."
  value       = local.zone_id
}

output "name_servers" {
  description = "Name servers that the parent zone has to name; none where the zone was there already."
  value       = var.create_zone ? aws_route53_zone.this[0].name_servers : []
}
