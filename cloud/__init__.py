"""The pipeline's resources in the cloud, as CloudFormation templates: deployed to LocalStack and to AWS by the same code."""
