export const handler = async () => {
  console.log("Waiting for something that takes two seconds");
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return { status: "done" };
};
