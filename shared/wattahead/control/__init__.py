"""The deployed system from a person's desk: Step Functions, CloudWatch and the dead letters, through boto3."""
