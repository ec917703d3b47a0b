// Where guests of the `aws` layout find the runtime (recorded by TestLambdaRuntimesCommon::test_introspection_invoke).
export const RUNTIME_DIR = "/var/runtime";
export const LANGUAGE_DIR = "/var/lang";

// Thaw's own, where AWS keeps its own init program: the guest's code, and the packages that RUNTIME_DIR links to.
export const GUEST_DIR = "/var/rapid";
export const GUEST_MODULES = `${GUEST_DIR}/node_modules`;
