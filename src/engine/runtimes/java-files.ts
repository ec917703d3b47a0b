/** Files of the folder that `java-guest.ts` builds. */
export const JAVA_JAR = "guest.jar";
/** Flags of the JVM. */
export const JAVA_FLAGS = "jvm.flags";
