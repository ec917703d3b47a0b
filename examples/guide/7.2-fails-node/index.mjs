export const handler = async (event) => {
  try {
    return event.order.id;
  } catch (error) {
    console.error("Error: %s", error.message);
    throw error;
  }
};
