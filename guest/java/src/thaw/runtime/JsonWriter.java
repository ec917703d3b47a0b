package thaw.runtime;

import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.Calendar;
import java.util.Collection;
import java.util.Date;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;

/** Writes values as JSON by the rules of Lambda's serializer: Jackson's defaults, without properties that are null. */
final class JsonWriter {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();
    private static final int MAX_DEPTH = 1000;

    private final StringBuilder out = new StringBuilder(128);
    private int depth;

    private JsonWriter() {}

    static String write(Object value) throws JsonException {
        JsonWriter writer = new JsonWriter();
        writer.value(value);
        return writer.out.toString();
    }

    static String quote(String text) {
        if (text == null) return "null";
        JsonWriter writer = new JsonWriter();
        writer.string(text);
        return writer.out.toString();
    }

    private void value(Object value) throws JsonException {
        if (value == null) out.append("null");
        else if (value instanceof CharSequence || value instanceof Character || value instanceof Class) string(text(value));
        else if (value instanceof Double || value instanceof Float) floating((Number) value);
        else if (value instanceof Number || value instanceof Boolean) out.append(value);
        else if (value instanceof Enum) string(((Enum<?>) value).name());
        else if (value instanceof Optional) value(((Optional<?>) value).orElse(null));
        else if (value instanceof Date) out.append(((Date) value).getTime());
        else if (value instanceof Calendar) out.append(((Calendar) value).getTimeInMillis());
        else if (value instanceof byte[]) string(Base64.getEncoder().encodeToString((byte[]) value));
        else if (value instanceof char[]) string(new String((char[]) value));
        else if (value instanceof ByteBuffer) bytes(((ByteBuffer) value).duplicate());
        else if (!Times.write(value, out)) nested(value);
    }

    private static String text(Object value) {
        return value instanceof Class ? ((Class<?>) value).getName() : value.toString();
    }

    private void nested(Object value) throws JsonException {
        if (++depth > MAX_DEPTH)
            throw new JsonException("Document nesting depth (" + depth + ") exceeds the maximum allowed (" + MAX_DEPTH
                    + ", possible reference to itself in " + value.getClass().getName() + ")");
        if (value instanceof Map) map((Map<?, ?>) value);
        else if (value instanceof Collection) values(((Collection<?>) value).iterator());
        else if (value instanceof Iterator) values((Iterator<?>) value);
        else if (value.getClass().isArray()) array(value);
        else if (Beans.isText(value.getClass())) string(value.toString());
        else if (value instanceof Iterable && Beans.of(value.getClass()).getters().isEmpty())
            values(((Iterable<?>) value).iterator());
        else bean(value);
        depth--;
    }

    private void map(Map<?, ?> map) throws JsonException {
        char separator = '{';
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            Object key = entry.getKey();
            if (key == null) throw new JsonException("Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)");
            out.append(separator);
            string(key instanceof Enum ? ((Enum<?>) key).name() : key.toString());
            out.append(':');
            value(entry.getValue());
            separator = ',';
        }
        if (separator == '{') out.append('{');
        out.append('}');
    }

    private void values(Iterator<?> values) throws JsonException {
        out.append('[');
        for (boolean first = true; values.hasNext(); first = false) {
            if (!first) out.append(',');
            value(values.next());
        }
        out.append(']');
    }

    private void array(Object array) throws JsonException {
        out.append('[');
        for (int i = 0; i < Array.getLength(array); i++) {
            if (i > 0) out.append(',');
            value(Array.get(array, i));
        }
        out.append(']');
    }

    private void bean(Object bean) throws JsonException {
        char separator = '{';
        for (Beans.Getter getter : Beans.of(bean.getClass()).getters()) {
            Object value = getter.read(bean);
            if (value == null) continue;
            out.append(separator);
            string(getter.name);
            out.append(':');
            if (value == bean)
                throw new JsonException("Direct self-reference leading to cycle (through reference chain: "
                        + bean.getClass().getName() + "[\"" + getter.name + "\"])");
            value(value);
            separator = ',';
        }
        if (separator == '{') out.append('{');
        out.append('}');
    }

    private void bytes(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        string(Base64.getEncoder().encodeToString(bytes));
    }

    private void floating(Number number) {
        double value = number.doubleValue();
        if (Double.isNaN(value) || Double.isInfinite(value)) string(number.toString());
        else out.append(number);
    }

    private void string(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') out.append('\\').append(c);
            else if (c >= ' ') out.append(c);
            else control(c);
        }
        out.append('"');
    }

    private void control(char c) {
        switch (c) {
            case '\b': out.append("\\b"); return;
            case '\f': out.append("\\f"); return;
            case '\n': out.append("\\n"); return;
            case '\r': out.append("\\r"); return;
            case '\t': out.append("\\t"); return;
            default: out.append("\\u00").append(HEX[c >> 4]).append(HEX[c & 15]);
        }
    }
}
