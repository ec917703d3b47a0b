export const handler = async () => {
  console.log("Waiting for something that never comes");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
};
