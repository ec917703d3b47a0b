package thaw.runtime;

import java.io.IOException;

/** JSON that cannot be read, bound to a type or written. */
final class JsonException extends IOException {
    private static final long serialVersionUID = 1;

    JsonException(String message) {
        super(message);
    }

    JsonException(String message, Throwable cause) {
        super(message, cause);
    }

    static JsonException mismatch(Types type, Object value) {
        return new JsonException("Cannot deserialize value of type `" + type + "` from " + kind(value));
    }

    private static String kind(Object value) {
        if (value == null) return "Null value (token `JsonToken.VALUE_NULL`)";
        if (value instanceof java.util.Map) return "Object value (token `JsonToken.START_OBJECT`)";
        if (value instanceof java.util.List) return "Array value (token `JsonToken.START_ARRAY`)";
        if (value instanceof String) return "String \"" + value + "\"";
        if (value instanceof Boolean)
            return "Boolean value (token `JsonToken." + (Boolean.TRUE.equals(value) ? "VALUE_TRUE" : "VALUE_FALSE") + "`)";
        return value instanceof java.math.BigDecimal || value instanceof Double
                ? "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)"
                : "Integer value (token `JsonToken.VALUE_NUMBER_INT`)";
    }
}
