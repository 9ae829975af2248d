output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "The VPC's network."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Public subnets, zone => id."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "private_subnet_ids" {
  description = "Private subnets, zone => id."
  value       = { for zone, subnet in aws_subnet.private : zone => subnet.id }
}

output "private_cidr" {
  description = "Private subnets, zone => network."
  value       = local.private_cidr
}

output "security_group_ids" {
  description = "edge, app, data, cache and monitoring => id."
  value       = { for name, group in aws_security_group.this : name => group.id }
}

output "nat_addresses" {
  description = "Addresses under which the private subnets reach the internet: for allow-lists of others."
  value       = [for address in aws_eip.nat : address.public_ip]
}
