import { beforeEach, expect, test } from "vitest";
import { createCloudWatchFixture, type CloudWatchFixture } from "../../support/cloudwatch-service.ts";
import { errorOf } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let cloudwatch: CloudWatchFixture;

beforeEach(() => {
  cloudwatch = createCloudWatchFixture(storage());
});

const BODY = {
  widgets: [
    {
      type: "metric",
      x: 0,
      y: 0,
      width: 6,
      height: 6,
      properties: {
        metrics: [["AWS/EC2", "CPUUtilization", "InstanceId", "i-12345678"]],
        region: "us-east-1",
        view: "timeSeries",
        stacked: false,
      },
    },
  ],
};

const put = (DashboardName: string, body: unknown = BODY) =>
  cloudwatch.call("PutDashboard", { DashboardName, DashboardBody: JSON.stringify(body) });
const list = (DashboardNamePrefix?: string) => cloudwatch.call("ListDashboards", { DashboardNamePrefix });

test("test_dashboard_lifecycle", async () => {
  const recording = new Recording("dashboards", "test_dashboard_lifecycle");
  // What was recorded had 240 bytes, most of them these.
  const DashboardBody = JSON.stringify(BODY).padEnd(240);
  await cloudwatch.call("PutDashboard", { DashboardName: "test-x", DashboardBody });
  await recording.expect("get_dashboard", cloudwatch.call("GetDashboard", { DashboardName: "test-x" }));
  await recording.expect("list_dashboards", list());
  await recording.expect("list_dashboards_prefix", list("test-"));
  await recording.expect("list_dashboards_prefix_empty", list("x"));
  await cloudwatch.call("DeleteDashboards", { DashboardNames: ["test-x"] });
  await recording.expect("list_dashboards_empty", list());
});

test("test_invalid_dashboard_name", async () => {
  const recording = new Recording("dashboards", "test_invalid_dashboard_name");
  await recording.expect("error-invalid-dashboardname", put("test-dashboard:1"));
});

test("a body that does not fit is refused with the places of its faults", async () => {
  const faulty = {
    widgets: [{ type: "metric", x: 30, properties: { metrics: [["App"]] } }, { type: "nope" }],
  };
  const refused = put("faulty", faulty);
  expect(await errorOf(refused.catch((error: unknown) => Promise.reject(error)))).toMatchObject({
    code: "DashboardInvalidInputError",
  });
  await expect(refused).rejects.toMatchObject({
    members: {
      dashboardValidationMessages: [
        { DataPath: "/widgets/0/x" },
        { DataPath: "/widgets/0/properties/metrics/0" },
        { DataPath: "/widgets/1/type" },
        { DataPath: "/widgets/1/properties" },
      ],
    },
  });
  const missing = cloudwatch.call("DeleteDashboards", { DashboardNames: ["faulty"] });
  expect(await errorOf(missing)).toMatchObject({ code: "DashboardNotFoundError", status: 404 });
});
