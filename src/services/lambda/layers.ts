import { formatArn, parseArn } from "#core/arn";
import type { Document } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import type { LambdaContext } from "./context.ts";
import { errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import type { Scope } from "./names.ts";
import type { FunctionLayer, FunctionSettings, LayerVersionRecord } from "./records.ts";
import { keys } from "./store.ts";

/** A layer as a caller named it. */
export interface LayerName extends Scope {
  readonly name: string;
}

export interface LayerVersionName extends LayerName {
  readonly version: number;
}

export function layerArn(scope: Scope, name: string, version?: number): string {
  const resource = version === undefined ? `layer:${name}` : `layer:${name}:${version}`;
  return formatArn("lambda", scope.region, scope.account, resource);
}

/** Reads a layer's name or its ARN. */
export function parseLayerName(call: CallContext, text: string | undefined): LayerName {
  const arn = parseArn(text ?? "");
  if (arn === undefined) return { account: call.account, region: call.region, name: text ?? "" };
  const name = arn.resource.split(":")[1] ?? "";
  return { account: arn.account, region: arn.region, name };
}

/** Reads the ARN of a layer's version. The wire has checked its form. */
export function parseLayerVersionArn(text: string): LayerVersionName | undefined {
  const arn = parseArn(text);
  const [, name, version] = arn?.resource.split(":") ?? [];
  if (arn === undefined || name === undefined || version === undefined) return undefined;
  return { account: arn.account, region: arn.region, name, version: Number(version) };
}

/**
 * A layer's version, for a caller who may use it: one of its own account, or one that its policy lets in.
 * @returns undefined where there is none
 * @throws AwsError AccessDeniedException
 */
export function readLayerVersion(
  { store }: LambdaContext,
  call: CallContext,
  { account, region, name, version }: LayerVersionName,
): Document<LayerVersionRecord> | undefined {
  const scope = { account, region };
  const found = store.documents.get<LayerVersionRecord>(keys.layerVersion(scope, name, version));
  if (account === call.account) return found;
  // Another account learns nothing of a layer that it may not use, not even whether it exists.
  if (found === undefined || !admits(found.value, call))
    throw errors.layerForbidden(call.principal.arn, layerArn(scope, name, version));
  return found;
}

function admits({ policy }: LayerVersionRecord, call: CallContext): boolean {
  return (policy?.statements ?? []).some(({ Principal, Condition }) => {
    // Accounts here belong to no organization.
    if (Condition !== undefined) return false;
    if (Principal === "*") return true;
    return parseArn(Principal.AWS)?.account === call.account;
  });
}

/**
 * The layers that a function's configuration names.
 * @throws AwsError InvalidParameterValueException, in AWS's words, or AccessDeniedException
 */
export function layersOf(
  context: LambdaContext,
  call: CallContext,
  arns: readonly string[],
): readonly FunctionLayer[] {
  if (arns.length > LIMITS.layers) throw errors.tooManyLayers();
  const seen = new Map<string, string>();
  return arns.map((arn) => {
    const parsed = parseLayerVersionArn(arn);
    // AWS's own layers (`arn:aws:lambda:::awslayer:…`) exist in AWS alone.
    if (parsed === undefined) throw errors.layerOfFunctionNotFound(arn);
    if (parsed.region !== call.region) throw errors.layersInOtherRegion(call.region);
    const layer = layerArn(parsed, parsed.name);
    const other = seen.get(layer);
    if (other !== undefined) throw errors.sameLayerTwice(other, arn);
    seen.set(layer, arn);
    const found = readLayerVersion(context, call, parsed);
    if (found === undefined) throw errors.layerOfFunctionNotFound(arn);
    return { arn, code: found.value.code };
  });
}

/** @throws AwsError where code and layers are too large together */
export function requireRoomForLayers({ code, layers }: Pick<FunctionSettings, "code" | "layers">): void {
  if (layers === undefined || layers.length === 0) return;
  const ofLayers = layers.reduce((sum, layer) => sum + (layer.code.unpackedBytes ?? 0), 0);
  if (ofLayers > LIMITS.unzippedCodeBytes) throw errors.layersTooLarge();
  const bytes = ofLayers + (code.unpackedBytes ?? 0);
  if (bytes > LIMITS.unzippedCodeBytes) throw errors.codeAndLayersTooLarge(bytes);
}
