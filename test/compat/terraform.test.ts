import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, terraformMirror, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

const mirror = terraformMirror();
const found = mirror !== undefined && works("terraform", "version");

describe.skipIf(!found)("Terraform (needs `terraform` and its AWS provider in a file system mirror)", () => {
  let platform: TestPlatform;
  let folder: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    platform = await startPlatform();
    folder = await mkdtemp(join(tmpdir(), "thaw-terraform-"));
    const settings = join(folder, "terraform.rc");
    await writeFile(
      settings,
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
    );
    env = {
      ...awsVariables(platform.url),
      TF_CLI_CONFIG_FILE: settings,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    };
    await writeFile(join(folder, "one.zip"), await zipOf({ "index.js": "exports.handler = async () => 1;" }));
    await writeFile(join(folder, "two.zip"), await zipOf({ "index.js": "exports.handler = async () => 2;" }));
    await writeFile(join(folder, "main.tf"), configuration);
  });

  afterAll(async () => {
    expect(await platform.stop()).toBe(0);
    await rm(folder, { recursive: true });
  });

  async function terraform(...args: string[]) {
    const result = await run("terraform", [...args, "-no-color"], { env, cwd: folder });
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: "" });
    return result.stdout;
  }

  it("applies, sees no difference, updates, and destroys", async () => {
    await terraform("init");
    const variables = (archive: string) => ["-var", `archive=${archive}`, "-var", `runtime=${RUNTIME}`];
    expect(await terraform("apply", "-auto-approve", ...variables("one.zip"))).toContain("3 added");
    expect(await terraform("plan", "-detailed-exitcode", ...variables("one.zip"))).toContain("No changes");
    expect(await terraform("apply", "-auto-approve", ...variables("two.zip"))).toContain("1 changed");
    expect(await terraform("destroy", "-auto-approve", ...variables("two.zip"))).toContain("3 destroyed");
  });
});

const RUNTIME = `nodejs${process.versions.node.split(".")[0]}.x`;

const configuration = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "archive" {}
variable "runtime" {}
provider "aws" {
  region = "us-east-1"
}
resource "aws_iam_role" "role" {
  name = "terraform-role"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_iam_role_policy_attachment" "basic" {
  role       = aws_iam_role.role.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}
resource "aws_lambda_function" "function" {
  function_name    = "terraform"
  role             = aws_iam_role.role.arn
  runtime          = var.runtime
  handler          = "index.handler"
  filename         = var.archive
  source_code_hash = filebase64sha256(var.archive)
  environment {
    variables = { STAGE = "test" }
  }
  tags = { team = "a" }
}
`;
