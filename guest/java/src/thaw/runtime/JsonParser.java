package thaw.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON into maps, lists, strings, booleans and numbers: Integer, Long or BigInteger, whichever is the smallest that
 * holds it, and BigDecimal for what has a fraction or an exponent.
 */
final class JsonParser {
    /** As Jackson limits it: a deeper event would exhaust the stack. */
    private static final int MAX_DEPTH = 1000;

    private final String text;
    private int at;
    private int depth;

    private JsonParser(String text) {
        this.text = text;
    }

    static Object parse(byte[] json) throws JsonException {
        return parse(new String(json, StandardCharsets.UTF_8));
    }

    static Object parse(String json) throws JsonException {
        JsonParser parser = new JsonParser(json);
        Object value = parser.value();
        parser.blanks();
        if (parser.at < json.length()) throw parser.unexpected("end of input");
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> parseObject(String json) throws JsonException {
        Object value = parse(json);
        if (!(value instanceof Map)) throw new JsonException("expected a JSON object");
        return (Map<String, Object>) value;
    }

    private Object value() throws JsonException {
        blanks();
        if (at >= text.length()) throw new JsonException("No content to map due to end-of-input");
        char first = text.charAt(at);
        switch (first) {
            case '{': return object();
            case '[': return array();
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            case 'N': return word("NaN", Double.NaN);
            default:
                if (first == '-' || (first >= '0' && first <= '9')) return number();
                throw unexpected("a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')");
        }
    }

    private Object word(String word, Object value) throws JsonException {
        if (!text.startsWith(word, at)) throw unexpected("'" + word + "'");
        at += word.length();
        return value;
    }

    private Map<String, Object> object() throws JsonException {
        enter();
        Map<String, Object> object = new LinkedHashMap<String, Object>();
        if (closes('}')) return object;
        do {
            blanks();
            if (at >= text.length() || text.charAt(at) != '"') throw unexpected("double-quote to start field name");
            String name = string();
            blanks();
            if (at >= text.length() || text.charAt(at) != ':') throw unexpected("a colon to separate field name and value");
            at++;
            object.put(name, value());
        } while (continues('}'));
        return object;
    }

    private List<Object> array() throws JsonException {
        enter();
        List<Object> array = new ArrayList<Object>();
        if (closes(']')) return array;
        do array.add(value());
        while (continues(']'));
        return array;
    }

    private void enter() throws JsonException {
        at++;
        if (++depth > MAX_DEPTH)
            throw new JsonException("Document nesting depth (" + depth + ") exceeds the maximum allowed (" + MAX_DEPTH + ")");
    }

    private boolean closes(char end) {
        blanks();
        if (at >= text.length() || text.charAt(at) != end) return false;
        at++;
        depth--;
        return true;
    }

    private boolean continues(char end) throws JsonException {
        if (closes(end)) return false;
        if (at >= text.length() || text.charAt(at) != ',') throw unexpected("comma to separate entries");
        at++;
        return true;
    }

    private String string() throws JsonException {
        int start = ++at;
        // Most strings hold no escape.
        for (int i = start; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                at = i + 1;
                return text.substring(start, i);
            }
            if (c == '\\') {
                at = i;
                return escaped(start);
            }
        }
        throw new JsonException("Unexpected end-of-input in a string");
    }

    private String escaped(int start) throws JsonException {
        StringBuilder result = new StringBuilder(text.length() - start > 64 ? 64 : 16).append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') return result.toString();
            if (c != '\\') result.append(c);
            else if (at < text.length()) result.append(escape(text.charAt(at++)));
        }
        throw new JsonException("Unexpected end-of-input in a string");
    }

    private char escape(char c) throws JsonException {
        switch (c) {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                try {
                    at += 4;
                    return (char) Integer.parseInt(text.substring(at - 4, at), 16);
                } catch (IndexOutOfBoundsException | NumberFormatException wrong) {
                    throw new JsonException("Unexpected character in a \\u escape: expected a hex-digit");
                }
            default: return c;
        }
    }

    private Number number() throws JsonException {
        int start = at++;
        boolean whole = true;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '.' || c == 'e' || c == 'E') whole = false;
            else if (c != '+' && c != '-' && (c < '0' || c > '9')) break;
        }
        String digits = text.substring(start, at);
        try {
            if (!whole) return new BigDecimal(digits);
            if (digits.length() > 18) return smallest(new BigInteger(digits));
            long value = Long.parseLong(digits);
            return value == (int) value ? (Number) (int) value : (Number) value;
        } catch (NumberFormatException wrong) {
            throw new JsonException("Unexpected character in numeric value: " + digits);
        }
    }

    private static Number smallest(BigInteger value) {
        return value.bitLength() < 64 ? (Number) value.longValue() : value;
    }

    private void blanks() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
            at++;
        }
    }

    private JsonException unexpected(String wanted) {
        if (at >= text.length()) return new JsonException("Unexpected end-of-input: was expecting " + wanted);
        char c = text.charAt(at);
        return new JsonException("Unexpected character ('" + c + "' (code " + (int) c + ")): was expecting " + wanted);
    }
}
