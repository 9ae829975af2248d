output "endpoint" {
  description = "The load balancer, as inventories want it; users come by the domain."
  value = {
    kind = "alb"
    host = aws_lb.this.dns_name
    port = 443
    arn  = aws_lb.this.arn
    id   = aws_lb.this.name
  }
}

output "target_group_arns" {
  description = "route => ARN of its target group."
  value       = { for name, group in aws_lb_target_group.route : name => group.arn }
}

output "zone_id" {
  description = "Zone of the load balancer's own name, for alias records."
  value       = aws_lb.this.zone_id
}

output "dns_name" {
  description = "The load balancer's own name."
  value       = aws_lb.this.dns_name
}

output "metric_names" {
  description = "What CloudWatch calls the load balancer and its target groups."
  value = {
    load_balancer = aws_lb.this.arn_suffix
    target_groups = { for name, group in aws_lb_target_group.route : name => group.arn_suffix }
  }
}
