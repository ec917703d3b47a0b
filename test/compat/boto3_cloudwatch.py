"""Metrics and alarms with boto3, whichever protocol its version speaks."""

import sys
from datetime import datetime, timedelta, timezone

import boto3

url, suffix = sys.argv[1:3]
cloudwatch = boto3.client("cloudwatch", endpoint_url=url, region_name="us-east-1")
namespace = f"App{suffix}"
now = datetime.now(timezone.utc)
span = {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=1)}
dimensions = [{"Name": "Stage", "Value": "prod"}]

cloudwatch.put_metric_data(
    Namespace=namespace,
    MetricData=[
        {"MetricName": "Latency", "Dimensions": dimensions, "Unit": "Milliseconds", "Values": [1.5, 2, 10], "Counts": [1, 2, 1]},
        {"MetricName": "Sets", "StatisticValues": {"SampleCount": 2, "Sum": 7, "Minimum": 3, "Maximum": 4}},
    ],
)

# Bodies of this size are compressed by versions that can.
many = [{"MetricName": f"metric-{n}", "Value": n, "Dimensions": [{"Name": "Padding", "Value": "x" * 100}]} for n in range(501)]
cloudwatch.put_metric_data(Namespace=f"{namespace}/Many", MetricData=many)
pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=f"{namespace}/Many"))
assert [len(page["Metrics"]) for page in pages] == [500, 1], pages

assert cloudwatch.list_metrics(Namespace=namespace, Dimensions=[{"Name": "Stage"}])["Metrics"] == [
    {"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions}
]

answer = cloudwatch.get_metric_statistics(
    Namespace=namespace,
    MetricName="Latency",
    Dimensions=dimensions,
    Period=3600,
    Statistics=["Sum", "SampleCount", "Average", "Minimum", "Maximum"],
    **span,
)
(point,) = answer["Datapoints"]
assert (point["Sum"], point["SampleCount"], point["Unit"]) == (15.5, 4, "Milliseconds"), point
percentiles = cloudwatch.get_metric_statistics(
    Namespace=namespace, MetricName="Latency", Dimensions=dimensions, Period=3600, ExtendedStatistics=["p50", "p99"], **span
)
assert percentiles["Datapoints"][0]["ExtendedStatistics"] == {"p50": 2, "p99": 10}, percentiles

metric = {"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions}
data = cloudwatch.get_metric_data(
    MetricDataQueries=[
        {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 / 2", "Label": "half ${LAST}"},
        {"Id": "s1", "Expression": f"SEARCH('{{{namespace},Stage}}', 'Maximum', 3600)"},
    ],
    **span,
)["MetricDataResults"]
assert [(result["Id"], result["Label"], result["Values"]) for result in data] == [
    ("e1", "half 7.75", [7.75]),
    ("s1", "Latency", [10]),
], data

alarm = f"alarm-{suffix}"
cloudwatch.put_metric_alarm(
    AlarmName=alarm,
    Namespace=namespace,
    MetricName="Latency",
    Dimensions=dimensions,
    Statistic="Sum",
    Period=60,
    EvaluationPeriods=1,
    Threshold=5,
    ComparisonOperator="GreaterThanThreshold",
)
cloudwatch.put_composite_alarm(AlarmName=f"{alarm}-all", AlarmRule=f'ALARM("{alarm}")')
cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
described = cloudwatch.describe_alarms(AlarmNamePrefix=alarm, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
assert described["MetricAlarms"][0]["StateValue"] == "ALARM", described
assert described["CompositeAlarms"][0]["StateValue"] == "ALARM", described
assert isinstance(described["MetricAlarms"][0]["StateUpdatedTimestamp"], datetime)
history = cloudwatch.describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"]
assert [item["HistoryItemType"] for item in history] == ["StateUpdate", "ConfigurationUpdate"], history

try:
    cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="a test")
    raise AssertionError("an alarm that there is not was set")
except cloudwatch.exceptions.ResourceNotFound as error:
    assert error.response["Error"]["Code"] == "ResourceNotFound", error.response
try:
    cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=[{"MetricName": "Mine", "Value": 1}])
    raise AssertionError("a metric of AWS's own was written")
except cloudwatch.exceptions.InvalidParameterValueException as error:
    assert error.response["Error"]["Code"] == "InvalidParameterValue", error.response

image = cloudwatch.get_metric_widget_image(
    MetricWidget=f'{{"metrics": [["{namespace}", "Latency", "Stage", "prod"]], "width": 300, "height": 200}}'
)["MetricWidgetImage"]
assert image.startswith(b"\x89PNG"), image[:16]
print("done")
