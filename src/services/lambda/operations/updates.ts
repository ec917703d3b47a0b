import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { CodePackage } from "#engine/contract";
import type { OperationsOf } from "#wire/operation";
import { applyCodeSigning, codeSigningOf } from "../code-signing.ts";
import { describeFunction } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { isImage } from "../images.ts";
import { layersOf, requireRoomForLayers } from "../layers.ts";
import { functionArn, parseUnqualifiedName, type FunctionName } from "../names.ts";
import { CREATING, type FunctionRecord, type FunctionSettings } from "../records.ts";
import { requireDeadLetters } from "../role-permissions.ts";
import { requireOwnRole, settingsAfterUpdate } from "../settings.ts";
import { keys } from "../store.ts";
import { acceptCode, acceptImage, describeCode } from "./code.ts";
import { publishChange } from "./publishing.ts";

/** Changing a function's code and configuration. Until an update is settled, invocations run what they ran before. */
export function updateOperations(context: LambdaContext) {
  const { store, lifecycle, clock, ids } = context;

  return {
    async UpdateFunctionCode(input, call) {
      const name = parseUnqualifiedName(call, "UpdateFunctionCode", input.FunctionName);
      if (input.PublishTo !== undefined) throw errors.notAvailable("PublishTo");
      const found = store.requireFunction(name, name.name).value;
      requireUpdatable(found, input.RevisionId, name);
      applyCodeSigning(context, name, name.name, codeSigningOf(store, name, name.name));
      const architecture = input.Architectures?.[0];
      const accept = (): Promise<CodePackage> =>
        isImage(found.settings)
          ? acceptImage(context, input, "UpdateFunctionCode", architecture ?? found.settings.architecture)
          : acceptCode(context, call, input, "UpdateFunctionCode");
      if (input.DryRun === true) {
        const { sha256, bytes } = isImage(found.settings)
          ? await accept()
          : await describeCode(context, call, input, "UpdateFunctionCode");
        const settings = {
          ...found.settings,
          code: { ...found.settings.code, sha256, bytes },
          architecture: architecture ?? found.settings.architecture,
        };
        return describeFunction(name, { ...found, settings }, undefined);
      }
      const code = await accept();
      return update(name, input.RevisionId, input.Publish === true, (before) => {
        requireRoomForLayers({ ...before, code });
        return { ...before, code, architecture: architecture ?? before.architecture };
      });
    },

    UpdateFunctionConfiguration(input, call) {
      const name = parseUnqualifiedName(call, "UpdateFunctionConfiguration", input.FunctionName);
      requireOwnRole(call.account, input.Role);
      const layers = input.Layers === undefined ? undefined : layersOf(context, call, input.Layers);
      if (layers !== undefined && layers.length > 0)
        applyCodeSigning(context, name, name.name, codeSigningOf(store, name, name.name));
      return update(name, input.RevisionId, false, (before) => {
        const configured = settingsAfterUpdate(input, before);
        const role = input.Role;
        if (role !== undefined && !context.assumable(role, functionArn(name, name.name)))
          throw errors.roleNotAssumable();
        const changed = {
          ...before,
          ...configured,
          layers: layers ?? before.layers ?? [],
        };
        requireRoomForLayers(changed);
        if (input.DeadLetterConfig !== undefined)
          requireDeadLetters(
            context.roleMay,
            { ...name, roleArn: changed.roleArn },
            name.region,
            changed.deadLetterArn,
          );
        return changed;
      });
    },
  } satisfies OperationsOf<LambdaClientModule>;

  async function update(
    name: FunctionName,
    revisionId: string | undefined,
    publish: boolean,
    change: (before: FunctionSettings) => FunctionSettings,
  ): Promise<FunctionConfiguration> {
    const { shown, settling } = await store.updateFunction(name, (found) => {
      requireUpdatable(found.value, revisionId, name);
      const before = found.value;
      const changed = change(before.settings);
      // The same code and configuration again keep their environments, and publishing them makes no new version.
      const same = JSON.stringify(changed) === JSON.stringify(before.settings);
      const updated: FunctionRecord = {
        ...before,
        revisionId: ids.uuid(),
        settings: same ? before.settings : { ...changed, specId: ids.uuid() },
        // A failed update left the settings before it in service; they stay there until one succeeds.
        ...(same ? {} : { serving: before.serving ?? before.settings }),
        lastModified: clock.now(),
        update: { name: "InProgress", ...CREATING },
      };
      const publication = publish ? publishChange(context, name, updated) : undefined;
      const latest = publication?.latest ?? updated;
      return {
        changes: [
          { key: found.key, value: latest, expected: found.revision },
          { key: keys.unsettled(name, name.name, "$LATEST"), value: true },
          ...(publication?.changes ?? []),
        ],
        result:
          publication === undefined
            ? { shown: describeFunction(name, latest, undefined), settling: ["$LATEST"] }
            : {
                shown: describeFunction(name, publication.published, publication.published.version),
                settling: ["$LATEST", publication.published.version],
              },
      };
    });
    for (const version of settling) lifecycle.settleLater(name, name.name, version);
    return shown;
  }
}

/** @throws AwsError where a function cannot be changed now, or has been changed since the caller read it */
export function requireUpdatable(
  record: FunctionRecord,
  revisionId: string | undefined,
  name: FunctionName,
): void {
  if (revisionId !== undefined && revisionId !== record.revisionId) throw errors.revisionMismatch();
  if (record.state.name === "Pending") throw errors.functionInState("Pending");
  if (record.update?.name === "InProgress") throw errors.updateInProgress(functionArn(name, record.name));
}
