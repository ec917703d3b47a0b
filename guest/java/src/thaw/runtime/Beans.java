package thaw.runtime;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The properties of a class: what is read are its public getters and public fields, what is set are its setters, of any
 * visibility, and its public fields; names as java.beans makes them ({@code getURL} is {@code URL}). A class of AWS's own
 * event library is bound by its private fields too and regardless of case, since AWS's serializer knows each by hand.
 */
final class Beans {
    private static final Map<Class<?>, Beans> KNOWN = new ConcurrentHashMap<Class<?>, Beans>();
    private static final String[] EVENTS = {
        "com.amazonaws.services.lambda.runtime.events.", "com.amazonaws.services.s3.event.",
        "com.amazonaws.services.dynamodbv2.model.",
    };
    private static final String[] TEXTS = {
        "java.util.UUID", "java.net.URI", "java.net.URL", "java.io.File", "java.util.Locale", "java.util.Currency",
        "java.util.regex.Pattern",
    };

    private final Class<?> type;
    private final boolean event;
    private final Map<String, Getter> getters = new LinkedHashMap<String, Getter>();
    private final Map<String, Setter> setters = new LinkedHashMap<String, Setter>();

    static Beans of(Class<?> type) {
        Beans known = KNOWN.get(type);
        if (known != null) return known;
        Beans beans = new Beans(type);
        KNOWN.put(type, beans);
        return beans;
    }

    /** Whether values of a class are written as their text. */
    static boolean isText(Class<?> type) {
        for (String name : TEXTS) if (type.getName().equals(name)) return true;
        return type.getName().startsWith("org.joda.time.");
    }

    private Beans(Class<?> type) {
        this.type = type;
        this.event = isEvent(type);
        List<String> order = new ArrayList<String>();
        Map<String, Getter> found = new LinkedHashMap<String, Getter>();
        // As Jackson does: fields come first, the superclass's before, and a getter stands where its field does.
        fields(type, order, found);
        accessors(found);
        for (String name : order) if (found.containsKey(name)) getters.put(name, found.get(name));
        getters.putAll(found);
        for (Class<?> each = type; each != null && each != Object.class; each = each.getSuperclass()) mutators(each);
    }

    private static boolean isEvent(Class<?> type) {
        for (String prefix : EVENTS) if (type.getName().startsWith(prefix)) return true;
        return false;
    }

    private void fields(Class<?> declaring, List<String> order, Map<String, Getter> found) {
        if (declaring == null || declaring == Object.class) return;
        fields(declaring.getSuperclass(), order, found);
        for (Field field : declaring.getDeclaredFields()) {
            int modifiers = field.getModifiers();
            if (Modifier.isStatic(modifiers) || field.isSynthetic()) continue;
            order.add(field.getName());
            boolean shown = Modifier.isPublic(modifiers) && !Modifier.isTransient(modifiers);
            if (shown) found.put(field.getName(), new Getter(field.getName(), field));
            if (shown || event) setters.put(field.getName(), new Setter(field.getName(), field, field.getGenericType()));
        }
    }

    private void accessors(Map<String, Getter> found) {
        for (Object component : Records.components(type)) {
            Method accessor = Records.accessor(component);
            found.put(accessor.getName(), new Getter(accessor.getName(), accessor));
        }
        for (Method method : type.getMethods()) {
            if (method.getParameterTypes().length != 0 || method.getReturnType() == void.class) continue;
            if (Modifier.isStatic(method.getModifiers()) || method.isBridge()) continue;
            if (method.getDeclaringClass() == Object.class) continue;
            String name = property(method.getName(), "get");
            Class<?> returned = method.getReturnType();
            if (name == null && (returned == boolean.class || returned == Boolean.class))
                name = property(method.getName(), "is");
            if (name != null) found.put(name, new Getter(name, method));
        }
    }

    private void mutators(Class<?> declaring) {
        for (Method method : declaring.getDeclaredMethods()) {
            if (method.getParameterTypes().length != 1 || Modifier.isStatic(method.getModifiers()) || method.isBridge())
                continue;
            String name = property(method.getName(), "set");
            if (name == null) continue;
            Setter present = setters.get(name);
            Getter getter = getters.get(name);
            // Of several setters that of the getter's type; a subclass's before its superclass's; any before a field.
            boolean fits = getter != null && getter.type() == method.getParameterTypes()[0];
            if (present == null || present.member instanceof Field || (fits && present.member.getDeclaringClass() == declaring))
                setters.put(name, new Setter(name, method, method.getGenericParameterTypes()[0]));
        }
    }

    private static String property(String method, String prefix) {
        if (!method.startsWith(prefix) || method.length() == prefix.length()) return null;
        String name = method.substring(prefix.length());
        if (name.length() > 1 && Character.isUpperCase(name.charAt(1)) && Character.isUpperCase(name.charAt(0))) return name;
        return Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }

    Collection<Getter> getters() {
        return getters.values();
    }

    /** The property that a JSON name stands for, or null: it is passed over then. */
    Setter setter(String name) {
        Setter exact = setters.get(name);
        if (exact != null || !event) return exact;
        String wanted = plain(name);
        for (Setter setter : setters.values()) if (plain(setter.name).equals(wanted)) return setter;
        return null;
    }

    private static String plain(String name) {
        return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
    }

    boolean isRecord() {
        return Records.is(type);
    }

    boolean isEvent() {
        return event;
    }

    /** @throws JsonException where it has no constructor without parameters */
    Object create() throws JsonException {
        String refusal = "Cannot construct instance of `" + type.getName()
                + "` (no Creators, like default constructor, exist): ";
        if (Modifier.isAbstract(type.getModifiers()))
            throw new JsonException(refusal + "abstract types either need to be mapped to concrete types, have custom "
                    + "deserializer, or contain additional type information");
        try {
            Constructor<?> constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (NoSuchMethodException absent) {
            if (event) return Records.allocate(type);
            throw new JsonException(
                    refusal + "cannot deserialize from Object value (no delegate- or property-based Creator)");
        } catch (InvocationTargetException thrown) {
            throw new JsonException("Cannot construct instance of `" + type.getName() + "`, problem: "
                    + thrown.getCause().getMessage(), thrown.getCause());
        } catch (ReflectiveOperationException refused) {
            throw new JsonException("Cannot construct instance of `" + type.getName() + "`", refused);
        }
    }

    private static void open(AccessibleObject member) {
        try {
            member.setAccessible(true);
        } catch (RuntimeException closed) {
            // A class of the JDK's own: what is public of it can be called as it is.
        }
    }

    private static JsonException failed(Member member, Throwable thrown) {
        return new JsonException(thrown.getMessage() + " (through reference chain: "
                + member.getDeclaringClass().getName() + "[\"" + member.getName() + "\"])", thrown);
    }

    /** A property that is read. */
    static final class Getter {
        final String name;
        private final Member member;

        Getter(String name, Member member) {
            this.name = name;
            this.member = member;
            open((AccessibleObject) member);
        }

        Class<?> type() {
            return member instanceof Field ? ((Field) member).getType() : ((Method) member).getReturnType();
        }

        Object read(Object bean) throws JsonException {
            try {
                return member instanceof Field ? ((Field) member).get(bean) : ((Method) member).invoke(bean);
            } catch (InvocationTargetException thrown) {
                throw failed(member, thrown.getCause());
            } catch (ReflectiveOperationException refused) {
                throw failed(member, refused);
            }
        }
    }

    /** A property that is set. */
    static final class Setter {
        final String name;
        private final Member member;
        private final Type declared;

        Setter(String name, Member member, Type declared) {
            this.name = name;
            this.member = member;
            this.declared = declared;
            open((AccessibleObject) member);
        }

        Types type(Types bean) {
            return bean.upTo(member.getDeclaringClass()).member(declared);
        }

        void write(Object bean, Object value) throws JsonException {
            try {
                if (member instanceof Field) ((Field) member).set(bean, value);
                else ((Method) member).invoke(bean, value);
            } catch (InvocationTargetException thrown) {
                throw failed(member, thrown.getCause());
            } catch (ReflectiveOperationException refused) {
                throw failed(member, refused);
            }
        }
    }
}
