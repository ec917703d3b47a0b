export const processOrder = async (event) => {
  const { order_id } = event;
  // Process the order
  return { status: "processed", order_id };
};
