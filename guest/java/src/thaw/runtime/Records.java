package thaw.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;

/** Classes that are not filled through a constructor without parameters. Reached by reflection: records came with Java 16. */
final class Records {
    private static final Object[] NONE = {};

    private Records() {}

    private static Method find(Class<?> type, String name) {
        try {
            return type.getMethod(name);
        } catch (NoSuchMethodException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    static boolean is(Class<?> type) {
        Class<?> parent = type.getSuperclass();
        return parent != null && parent.getName().equals("java.lang.Record");
    }

    static Object[] components(Class<?> type) {
        // Not asked of every class: the first call of a method of the JDK's that depends on its caller costs 15 ms.
        return is(type) ? (Object[]) call(find(Class.class, "getRecordComponents"), type) : NONE;
    }

    static Method accessor(Object component) {
        return (Method) call(find(component.getClass(), "getAccessor"), component);
    }

    private static Type type(Object component) {
        return (Type) call(find(component.getClass(), "getGenericType"), component);
    }

    private static Object call(Method method, Object receiver) {
        try {
            return method.invoke(receiver);
        } catch (ReflectiveOperationException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** Makes a record from the members of a JSON object. */
    static Object create(Types record, java.util.Map<?, ?> object) throws JsonException {
        Object[] components = components(record.raw);
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            Method accessor = accessor(components[i]);
            types[i] = accessor.getReturnType();
            values[i] = Binder.bind(object.get(accessor.getName()), record.member(type(components[i])));
        }
        try {
            Constructor<?> constructor = record.raw.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (InvocationTargetException thrown) {
            throw new JsonException("Cannot construct instance of `" + record + "`, problem: "
                    + thrown.getCause().getMessage(), thrown.getCause());
        } catch (ReflectiveOperationException refused) {
            throw new JsonException("Cannot construct instance of `" + record + "`", refused);
        }
    }

    /** Makes an instance without running a constructor of its own class, as Java's own deserialization does. */
    static Object allocate(Class<?> type) throws JsonException {
        try {
            Class<?> factory = Class.forName("sun.reflect.ReflectionFactory");
            Object instance = factory.getMethod("getReflectionFactory").invoke(null);
            Method make = factory.getMethod("newConstructorForSerialization", Class.class, Constructor.class);
            Constructor<?> plain = (Constructor<?>) make.invoke(instance, type, Object.class.getConstructor());
            return plain.newInstance();
        } catch (ReflectiveOperationException refused) {
            throw new JsonException("Cannot construct instance of `" + type.getName() + "`", refused);
        }
    }
}
