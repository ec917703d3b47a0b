export const handler = async (event) => {
  console.info("Processing event: %j", event);
  console.warn("A warning, with its level and request id");
};
