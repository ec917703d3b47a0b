package thaw.runtime;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URL;
import java.nio.ByteBuffer;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TimeZone;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Values without members of their own. */
final class Scalars {
    static final Object NONE = new Object();

    private Scalars() {}

    /** Whether an array is written as one string. */
    static boolean isText(Class<?> raw) {
        return raw == byte[].class || raw == char[].class;
    }

    /** Whether a time without zone, which is written as an array. */
    static boolean isLocal(Class<?> raw) {
        return raw == LocalDate.class || raw == LocalTime.class || raw == LocalDateTime.class;
    }

    static Object bind(Object json, Types type) throws JsonException {
        Class<?> raw = type.raw;
        try {
            if (raw == String.class || raw == CharSequence.class) return text(json, type);
            if (raw == boolean.class || raw == Boolean.class) return truth(json, type);
            if (raw == char.class || raw == Character.class) return character(json, type);
            if (raw.isPrimitive() || Number.class.isAssignableFrom(raw)) return number(json, type);
            if (raw.isEnum()) return constant(json, type);
            return json instanceof String ? fromText((String) json, type) : fromNumber(json, raw);
        } catch (NumberFormatException wrong) {
            throw new JsonException(JsonException.mismatch(type, json).getMessage() + ": not a valid representation");
        }
    }

    private static Object text(Object json, Types type) throws JsonException {
        if (json instanceof Map || json instanceof List) throw JsonException.mismatch(type, json);
        return json.toString();
    }

    private static Object truth(Object json, Types type) throws JsonException {
        if (json instanceof Boolean) return json;
        if (json instanceof Number) return ((Number) json).intValue() != 0;
        String word = json instanceof String ? ((String) json).trim() : "";
        if (word.equalsIgnoreCase("true")) return true;
        if (word.equalsIgnoreCase("false")) return false;
        if ("".equals(json)) return type.raw.isPrimitive() ? false : null;
        throw JsonException.mismatch(type, json);
    }

    private static Object character(Object json, Types type) throws JsonException {
        if (json instanceof Number) return (char) ((Number) json).intValue();
        if (json instanceof String && ((String) json).length() == 1) return ((String) json).charAt(0);
        if ("".equals(json)) return type.raw.isPrimitive() ? '\0' : null;
        throw JsonException.mismatch(type, json);
    }

    private static Object number(Object json, Types type) throws JsonException {
        Class<?> raw = type.raw;
        if (raw == Number.class && json instanceof Number) return Binder.natural(json);
        if (json instanceof String && ((String) json).trim().isEmpty()) return raw.isPrimitive() ? zero(raw) : null;
        if (!(json instanceof Number || json instanceof String)) throw JsonException.mismatch(type, json);
        String digits = json.toString().trim();
        if (raw == double.class || raw == Double.class) return Double.valueOf(digits);
        if (raw == float.class || raw == Float.class) return Float.valueOf(digits);
        BigDecimal value = new BigDecimal(digits);
        if (raw == BigDecimal.class) return value;
        BigInteger whole = value.toBigInteger();
        if (raw == BigInteger.class) return whole;
        if (raw == AtomicInteger.class)
            return new AtomicInteger((int) within(whole, 32, type));
        if (raw == AtomicLong.class)
            return new AtomicLong(within(whole, 64, type));
        if (raw == long.class || raw == Long.class) return within(whole, 64, type);
        if (raw == int.class || raw == Integer.class) return (int) within(whole, 32, type);
        if (raw == short.class || raw == Short.class) return (short) within(whole, 16, type);
        if (raw == byte.class || raw == Byte.class) return (byte) within(whole, 9, type);
        return NONE;
    }

    private static Object zero(Class<?> raw) {
        return Array.get(Array.newInstance(raw, 1), 0);
    }

    private static long within(BigInteger value, int bits, Types type) throws JsonException {
        if (value.bitLength() < bits) return value.longValue();
        throw new JsonException("Numeric value (" + value + ") out of range of " + type.raw.getSimpleName());
    }

    private static Object constant(Object json, Types type) throws JsonException {
        Object[] constants = type.raw.getEnumConstants();
        if (json instanceof Integer) {
            int index = (Integer) json;
            return index >= 0 && index < constants.length ? constants[index] : null;
        }
        if (!(json instanceof String)) throw JsonException.mismatch(type, json);
        for (Object constant : constants) if (((Enum<?>) constant).name().equals(json)) return constant;
        return null;
    }

    private static Object fromNumber(Object json, Class<?> raw) {
        if (!(json instanceof Number)) return NONE;
        long millis = ((Number) json).longValue();
        if (raw == Date.class) return new Date(millis);
        if (raw == Calendar.class) {
            Calendar calendar = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
            calendar.setTimeInMillis(millis);
            return calendar;
        }
        Object time = Times.ofSeconds(raw, new BigDecimal(json.toString()));
        return time == null ? NONE : time;
    }

    private static Object fromText(String text, Types type) throws JsonException {
        Class<?> raw = type.raw;
        String name = raw.getName();
        try {
            if (raw == byte[].class) return Base64.getDecoder().decode(text);
            if (raw == char[].class) return text.toCharArray();
            if (raw == ByteBuffer.class)
                return ByteBuffer.wrap(Base64.getDecoder().decode(text));
            if (text.isEmpty()) return null;
            if (raw == Date.class) return Times.date(text);
            if (raw == Class.class) return Class.forName(text, true, Thread.currentThread().getContextClassLoader());
            if (raw == Locale.class) return Locale.forLanguageTag(text.replace('_', '-'));
            if (raw == File.class) return new File(text);
            if (raw == URL.class) return new URL(text);
            if (!name.startsWith("java.") && !name.startsWith("org.joda.time.")) return NONE;
            for (String factory : new String[] {"parse", "fromString", "of", "create", "compile", "getInstance"})
                for (Method method : raw.getMethods())
                    if (method.getName().equals(factory) && makesFromText(method)) return method.invoke(null, text);
            return NONE;
        } catch (InvocationTargetException thrown) {
            throw refused(text, type, thrown.getCause());
        } catch (ReflectiveOperationException | IOException | RuntimeException wrong) {
            throw refused(text, type, wrong);
        }
    }

    private static boolean makesFromText(Method method) {
        Class<?>[] types = method.getParameterTypes();
        return types.length == 1
                && Modifier.isStatic(method.getModifiers())
                && (types[0] == String.class || types[0] == CharSequence.class);
    }

    private static JsonException refused(String text, Types type, Throwable cause) {
        return new JsonException(JsonException.mismatch(type, text).getMessage() + ": " + cause.getMessage(), cause);
    }
}
