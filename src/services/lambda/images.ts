import type {
  CreateFunctionRequest,
  FunctionCodeLocation,
  FunctionConfiguration,
  ImageConfig,
  UpdateFunctionConfigurationRequest,
} from "@aws-sdk/client-lambda";
import type { CodePackage, ImageOverrides } from "#engine/contract";
import { errors } from "./errors.ts";
import type { FunctionSettings } from "./records.ts";

/** Whether a function's code is a container image. */
export function isImage({ code }: Pick<FunctionSettings, "code">): boolean {
  return code.image !== undefined;
}

/** @throws AwsError where a request for a function of an image has what images say themselves */
export function requireImageSettings(
  request: CreateFunctionRequest | UpdateFunctionConfigurationRequest,
): void {
  const { Runtime, Handler, Layers } = request;
  if (Runtime !== undefined || Handler !== undefined || (Layers ?? []).length > 0)
    throw errors.runtimeOfImage();
}

/** The image's settings that a request replaces; undefined where it replaces none. An empty list is none. */
export function imageConfigOf(config: ImageConfig | undefined): ImageOverrides | undefined {
  if (config === undefined) return undefined;
  const { EntryPoint, Command, WorkingDirectory } = config;
  const overrides: ImageOverrides = {
    entryPoint: filled(EntryPoint),
    command: filled(Command),
    workingDirectory:
      WorkingDirectory === undefined || WorkingDirectory === "" ? undefined : WorkingDirectory,
  };
  return Object.values(overrides).every((value) => value === undefined) ? undefined : overrides;
}

function filled(words: readonly string[] | undefined): readonly string[] | undefined {
  return words === undefined || words.length === 0 ? undefined : words;
}

/** GetFunction's Code (recorded: lambda_image_crud). */
export function imageLocation(code: CodePackage): FunctionCodeLocation | undefined {
  if (code.image === undefined) return undefined;
  return { RepositoryType: "ECR", ImageUri: code.image.uri, ResolvedImageUri: code.image.resolvedUri };
}

/** The members of a FunctionConfiguration that functions of images and of archives do not share. */
export function describePackage(
  settings: FunctionSettings,
): Pick<FunctionConfiguration, "PackageType" | "Runtime" | "Handler" | "ImageConfigResponse"> {
  if (!isImage(settings))
    return {
      PackageType: "Zip",
      Runtime: settings.runtime as NonNullable<FunctionConfiguration["Runtime"]>,
      Handler: settings.handler,
    };
  const { imageConfig } = settings;
  if (imageConfig === undefined) return { PackageType: "Image" };
  const { entryPoint, command, workingDirectory } = imageConfig;
  return {
    PackageType: "Image",
    ImageConfigResponse: {
      ImageConfig: {
        ...(entryPoint === undefined ? {} : { EntryPoint: [...entryPoint] }),
        ...(command === undefined ? {} : { Command: [...command] }),
        ...(workingDirectory === undefined ? {} : { WorkingDirectory: workingDirectory }),
      },
    },
  };
}
