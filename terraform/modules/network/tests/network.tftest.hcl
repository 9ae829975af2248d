mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  context   = { name = "chat-dev", environment = "dev", account_id = "123456789012", region = "eu-central-1", partition = "aws" }
  zones     = ["eu-central-1a", "eu-central-1b"]
  nat       = "single"
  app_ports = [3000, 5000]
}

run "two_zones" {
  command = plan

  assert {
    condition     = aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "The network is 10.0.0.0/16 where nobody says otherwise."
  }

  assert {
    condition     = length(aws_subnet.public) == 2 && length(aws_subnet.private) == 2
    error_message = "Two public and two private subnets."
  }

  assert {
    condition     = length(distinct(concat([for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.private : subnet.cidr_block]))) == 4
    error_message = "No two subnets have the same network."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch == false])
    error_message = "No host gets a public address."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "One NAT gateway serves both zones."
  }
}

run "a_nat_gateway_a_zone" {
  command = plan

  variables {
    nat = "per_zone"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 2
    error_message = "Each zone has its own."
  }
}

run "five_groups" {
  command = plan

  assert {
    condition     = toset(keys(aws_security_group.this)) == toset(["edge", "app", "data", "cache", "monitoring"])
    error_message = "The five security groups."
  }

  assert {
    condition     = toset([for name, rule in local.ingress : rule.group if rule.cidr == "0.0.0.0/0"]) == toset(["edge"])
    error_message = "The internet reaches the edge, and nothing else."
  }

  assert {
    condition     = alltrue([for name, rule in local.ingress : (rule.cidr == null) != (rule.source == null)])
    error_message = "A rule has one source."
  }

  assert {
    condition     = length([for rule in aws_vpc_security_group_ingress_rule.this : rule if rule.from_port == 22]) == 0
    error_message = "No port for SSH: Systems Manager reaches hosts."
  }

  assert {
    condition     = alltrue([for port in [3000, 5000] : contains(keys(aws_vpc_security_group_ingress_rule.this), "app_port_${port}")])
    error_message = "The load balancer reaches each port of the applications."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zones = ["eu-central-1a"]
  }

  expect_failures = [var.zones]
}

run "a_small_network_is_refused" {
  command = plan

  variables {
    cidr = "10.0.0.0/20"
  }

  expect_failures = [var.cidr]
}
