package thaw.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Turns parsed JSON into a value of a type, by the rules of Lambda's serializer (aws-lambda-java-serialization: Jackson
 * that passes over unknown properties, takes a single value for an array and the reverse, and an unknown enum value as null).
 */
final class Binder {
    private Binder() {}

    static Object bind(Object json, Type type) throws JsonException {
        return bind(json, Types.of(type));
    }

    static Object bind(Object json, Types type) throws JsonException {
        Class<?> raw = type.raw;
        if (raw == Object.class) return natural(json);
        if (raw == Optional.class)
            return Optional.ofNullable(json == null ? null : bind(json, type.argument(Optional.class, 0)));
        if (json == null) return raw.isPrimitive() ? Array.get(Array.newInstance(raw, 1), 0) : null;
        boolean list = json instanceof List;
        if (raw.isArray() && !(json instanceof String && Scalars.isText(raw))) return array(single(json), type);
        if (isCollection(raw)) return collection(single(json), type);
        if (list && Scalars.isLocal(raw)) return Times.ofParts(raw, ints((List<?>) json));
        if (list && ((List<?>) json).isEmpty() && !raw.isPrimitive()) return null;
        if (list && ((List<?>) json).size() == 1) return bind(((List<?>) json).get(0), type);
        if (Map.class.isAssignableFrom(raw)) return map(json, type);
        Object scalar = Scalars.bind(json, type);
        if (scalar != Scalars.NONE) return scalar;
        return object(json, type);
    }

    /** What stands for JSON where nothing more is known of its type. */
    static Object natural(Object json) {
        if (json instanceof BigDecimal) return ((BigDecimal) json).doubleValue();
        if (json instanceof Map)
            for (Map.Entry<?, Object> entry : Binder.<Map<?, Object>>cast(json).entrySet())
                entry.setValue(natural(entry.getValue()));
        if (json instanceof List) {
            List<Object> list = cast(json);
            for (int i = 0; i < list.size(); i++) list.set(i, natural(list.get(i)));
        }
        return json;
    }

    private static List<?> single(Object json) {
        return json instanceof List ? (List<?>) json : Collections.singletonList(json);
    }

    private static int[] ints(List<?> json) throws JsonException {
        int[] values = new int[json.size()];
        for (int i = 0; i < values.length; i++) values[i] = (Integer) bind(json.get(i), int.class);
        return values;
    }

    private static Object array(List<?> json, Types type) throws JsonException {
        Types element = type.element();
        Object array = Array.newInstance(element.raw, json.size());
        for (int i = 0; i < json.size(); i++) Array.set(array, i, bind(json.get(i), element));
        return array;
    }

    private static boolean isCollection(Class<?> raw) {
        return Collection.class.isAssignableFrom(raw) || raw == Iterable.class;
    }

    private static Object collection(List<?> json, Types type) throws JsonException {
        Collection<Object> collection = cast(newCollection(type.raw));
        Types element = type.argument(Iterable.class, 0);
        for (Object each : json) collection.add(bind(each, element));
        return collection;
    }

    private static Object newCollection(Class<?> raw) throws JsonException {
        if (!raw.isInterface() && !java.lang.reflect.Modifier.isAbstract(raw.getModifiers())) return Beans.of(raw).create();
        if (raw.isAssignableFrom(ArrayList.class)) return new ArrayList<Object>();
        if (raw.isAssignableFrom(HashSet.class)) return new HashSet<Object>();
        if (SortedSet.class.isAssignableFrom(raw)) return new TreeSet<Object>();
        if (raw == Queue.class || raw == Deque.class) return new ArrayDeque<Object>();
        return Set.class.isAssignableFrom(raw) ? new HashSet<Object>() : new ArrayList<Object>();
    }

    private static Object map(Object json, Types type) throws JsonException {
        if (!(json instanceof Map)) {
            if ("".equals(json)) return null;
            throw JsonException.mismatch(type, json);
        }
        Types key = type.argument(Map.class, 0);
        Types value = type.argument(Map.class, 1);
        Map<Object, Object> map = cast(newMap(type.raw, key.raw));
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
            try {
                map.put(bind(entry.getKey(), key), bind(entry.getValue(), value));
            } catch (JsonException wrong) {
                throw inside(wrong, map.getClass().getName(), entry.getKey());
            }
        }
        return map;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object newMap(Class<?> raw, Class<?> key) throws JsonException {
        if (raw == EnumMap.class) return new EnumMap(key);
        if (!raw.isInterface() && !java.lang.reflect.Modifier.isAbstract(raw.getModifiers())) return Beans.of(raw).create();
        if (SortedMap.class.isAssignableFrom(raw)) return new TreeMap<Object, Object>();
        return raw.isAssignableFrom(LinkedHashMap.class)
                ? new LinkedHashMap<Object, Object>()
                : new java.util.concurrent.ConcurrentSkipListMap<Object, Object>();
    }

    private static Object object(Object json, Types type) throws JsonException {
        if (!(json instanceof Map)) {
            if ("".equals(json)) return null;
            throw JsonException.mismatch(type, json);
        }
        Beans beans = Beans.of(type.raw);
        if (beans.isRecord()) return Records.create(type, (Map<?, ?>) json);
        Object bean = beans.create();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
            Beans.Setter setter = beans.setter((String) entry.getKey());
            if (setter == null) continue;
            try {
                Types member = setter.type(type);
                setter.write(bean, bind(eventTime(beans, member, entry.getValue()), member));
            } catch (JsonException wrong) {
                throw inside(wrong, type.raw.getName(), entry.getKey());
            }
        }
        return bean;
    }

    /** Streams tell times in seconds, with a fraction, where every other Date is in milliseconds. */
    private static Object eventTime(Beans beans, Types member, Object json) {
        if (!beans.isEvent() || member.raw != java.util.Date.class || !(json instanceof Number)) return json;
        return new BigDecimal(json.toString()).movePointRight(3).toBigInteger();
    }

    private static JsonException inside(JsonException wrong, String type, Object member) {
        String message = wrong.getMessage();
        String link = type + "[\"" + member + "\"]";
        String chain = " (through reference chain: ";
        int at = message.indexOf(chain);
        String told = at < 0
                ? message + chain + link + ")"
                : message.substring(0, at + chain.length()) + link + "->" + message.substring(at + chain.length());
        return new JsonException(told, wrong.getCause());
    }

    @SuppressWarnings("unchecked")
    private static <T> T cast(Object value) {
        return (T) value;
    }
}
