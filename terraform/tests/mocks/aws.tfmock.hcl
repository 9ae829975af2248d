# What modules' tests get instead of AWS: values that have the form that resources check.

mock_data "aws_iam_policy_document" {
  defaults = {
    json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
  }
}

mock_data "aws_ami" {
  defaults = {
    id = "ami-0123456789abcdef0"
  }
}

mock_data "aws_route53_zone" {
  defaults = {
    zone_id = "Z0123456789ABC"
  }
}

mock_data "aws_instances" {
  defaults = {
    ids         = []
    private_ips = []
  }
}
