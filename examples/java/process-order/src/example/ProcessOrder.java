package example;

/**
 * The guide's process_order (1.1, keep functions small and focused) in Java. A method that takes and returns plain objects
 * needs no library of AWS's; compile it with: javac -d package src/example/ProcessOrder.java
 */
public class ProcessOrder {
    public static class Order {
        public int order_id;
    }

    public static class Result {
        public String status;
        public int order_id;
    }

    public Result handle(Order order) {
        Result result = new Result();
        result.status = "processed";
        result.order_id = order.order_id;
        return result;
    }
}
